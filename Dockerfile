# The image in which the pipeline runs `promote full`: the program, CA certificates, curl and a shell.
#
#   docker build -t promote .
#   docker run --rm promote promote --help
#
# The program is linked dynamically: the builder's glibc must not be newer than the runtime's (Debian 12 has 2.36,
# Amazon Linux 2023 has 2.34: with that as the runtime, build on rust:…-slim-bullseye).
ARG BUILDER=public.ecr.aws/docker/library/rust:1.95-slim-bookworm
# CodeBuild on Lambda needs curl or wget in the image (CodeBuild User Guide, "Run builds on AWS Lambda compute").
ARG RUNTIME=public.ecr.aws/docker/library/buildpack-deps:bookworm-curl

FROM ${BUILDER} AS build
# What Cargo optimizes for; `dev` builds faster.
ARG PROFILE=release
# More of Cargo's flags.
ARG CARGO_FLAGS=""
WORKDIR /promote

# The dependencies, in a layer that changes with Cargo.lock only: they take minutes, the program itself seconds.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && echo 'fn main() {}' > src/main.rs && touch src/lib.rs \
    && cargo build --locked --bins --profile "${PROFILE}" ${CARGO_FLAGS}

# Every file by name: the image must be the same where .dockerignore is missing, as in a SeedFarmer bundle.
COPY stack/promote.yaml stack/promote.yaml
COPY src src
# COPY keeps the files' times, and Cargo must not take the empty program for a newer one.
RUN touch src/main.rs src/lib.rs \
    && cargo build --locked --bins --profile "${PROFILE}" ${CARGO_FLAGS} \
    && mv target/*/promote .

FROM ${RUNTIME}
# A runtime of your own may have no certificate authorities.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /promote/promote /usr/local/bin/promote
# Fails here, not in the pipeline, when the runtime's libraries do not fit.
RUN promote --version

# No entry point: CodeBuild starts a shell, as root or, on Lambda, as another user, and others say `docker run promote promote full …`.
CMD ["promote", "--help"]

ARG REVISION=""
LABEL org.opencontainers.image.title="promote" \
      org.opencontainers.image.description="Promotes SageMaker model packages between AWS accounts" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
