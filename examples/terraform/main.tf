# Deploys the pipeline of one source group with Terraform. The template comes from:
#   promote stack template > promote.yaml
# docs/guides/pipeline.md has the steps around it, docs/reference/module.md the inputs.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

provider "aws" {
  region              = "eu-central-1"
  allowed_account_ids = ["111222333444"]
}

variable "source_model_package_group_arn" {
  description = "Model package group in the source account"
  type        = string
}

variable "event_bus_name" {
  description = "Event bus in this account that receives the events of the source account"
  type        = string
}

variable "target_bucket_name" {
  description = "Bucket in this account for the artifacts"
  type        = string
}

variable "image_repository_name" {
  description = "ECR repository of the image of promote"
  type        = string
  default     = "promote"
}

variable "image_tag" {
  description = "Tag of the image; the repository's tags are immutable"
  type        = string
}

locals {
  # SageMaker has the name of a group in lower case in the ARNs of its versions. The target group has the same name.
  group_in_lower_case = lower(split("/", var.source_model_package_group_arn)[1])
}

resource "aws_cloudformation_stack" "promote" {
  name          = "promote-churn"
  template_body = file("${path.module}/promote.yaml")
  capabilities  = ["CAPABILITY_IAM"]

  parameters = {
    # With a pattern, TargetGroupTemplate names the target groups; `promote stack parameters` prints all parameters.
    SourceModelPackageGroupArn = var.source_model_package_group_arn
    SourceGroupInLowerCase     = local.group_in_lower_case
    TargetGroupInLowerCase     = local.group_in_lower_case
    EventBusName               = var.event_bus_name
    Schedule                   = "rate(1 day)"
    TargetBucketName           = var.target_bucket_name
    ImageRepositoryName        = var.image_repository_name
    ImageTag                   = var.image_tag
  }
}

output "pipeline" {
  description = "Outputs of the stack, such as the name of the pipeline"
  value       = aws_cloudformation_stack.promote.outputs
}
