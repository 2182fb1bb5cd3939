"""What promote expects of Amazon S3."""

import secrets

from botocore.exceptions import ClientError

from acceptance.answers import refusal


def conditional_put(tried):
    """PutObject with If-None-Match does not overwrite."""
    where = {"Bucket": tried.accounts.target_bucket, "Key": "belief/put"}
    tried.accounts.target.s3.put_object(**where, Body=b"1")
    return refusal(tried.accounts.target.s3.put_object, "PreconditionFailed", **where, Body=b"2", IfNoneMatch="*")


def conditional_copy(tried):
    """CopyObject with If-None-Match does not overwrite."""
    s3, bucket = tried.accounts.target.s3, tried.accounts.target_bucket
    s3.put_object(Bucket=bucket, Key="belief/copy", Body=b"1")
    source = {"Bucket": bucket, "Key": "belief/copy-source"}
    s3.put_object(**source, Body=b"2")
    where = {"Bucket": bucket, "Key": "belief/copy", "CopySource": source}
    return refusal(s3.copy_object, "PreconditionFailed", **where, IfNoneMatch="*")


def conditional_completion(tried):
    """CompleteMultipartUpload with If-None-Match does not overwrite."""
    s3, where = tried.accounts.target.s3, {"Bucket": tried.accounts.target_bucket, "Key": "belief/parts"}
    s3.put_object(**where, Body=b"1")
    upload = where | {"UploadId": s3.create_multipart_upload(**where)["UploadId"]}
    try:
        part = {"PartNumber": 1, "ETag": s3.upload_part(**upload, PartNumber=1, Body=b"2")["ETag"]}
        parts = {"Parts": [part]}
        complete = s3.complete_multipart_upload
        return refusal(complete, "PreconditionFailed", **upload, MultipartUpload=parts, IfNoneMatch="*")
    finally:
        try:
            s3.abort_multipart_upload(**upload)
        except ClientError:
            pass  # It was completed, so nothing is open.


def copied_checksum(tried):
    """A copy has the ETag and a full-object checksum of its source."""
    s3, bucket = tried.accounts.target.s3, tried.accounts.target_bucket
    body = secrets.token_bytes(2048)
    put = s3.put_object(Bucket=bucket, Key="belief/checksum", Body=body, ChecksumAlgorithm="CRC64NVME")
    source = {"Bucket": bucket, "Key": "belief/checksum"}
    s3.copy_object(Bucket=bucket, Key="belief/checksum-copy", CopySource=source)
    head = s3.head_object(Bucket=bucket, Key="belief/checksum-copy", ChecksumMode="ENABLED")
    same = head["ETag"] == put["ETag"], head.get("ChecksumCRC64NVME") == put.get("ChecksumCRC64NVME")
    return all(same), f"ETag {'equal' if same[0] else 'differs'}, CRC64NVME {'equal' if same[1] else 'differs'}"


def customer_key(tried):
    """HEAD of an object with a customer's key (SSE-C) answers 400 without a body, and GET names the encryption."""
    s3, where = tried.accounts.target.s3, {"Bucket": tried.accounts.target_bucket, "Key": "belief/customer-key"}
    allow_customer_keys(s3, where["Bucket"])
    s3.put_object(**where, Body=b"1", SSECustomerAlgorithm="AES256", SSECustomerKey=secrets.token_bytes(32))
    head, seen = refusal(s3.head_object, "400", **where)
    get, said = refusal(s3.get_object, "Server Side Encryption", **where)
    return head and get, f"{seen}; {said}"


def allow_customer_keys(s3, bucket):
    """New buckets of many accounts block SSE-C."""
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    rule["BlockedEncryptionTypes"] = {"EncryptionType": ["NONE"]}
    try:
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    except ClientError:
        pass  # The bucket may take such objects all the same.
