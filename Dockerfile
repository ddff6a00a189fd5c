# syntax=docker/dockerfile:1.7
#
# One image for each process, by target: gateway, asset, job, render, stitch, audio; and filmstrip, which is everything in one
# process, and the stand-in providers.
#
#     docker build --target asset --tag filmstrip-asset:0.1.0 .

# All programs at once, so that they share what they are made of. What cargo fetched and built stays in BuildKit's caches: after
# a change only what depends on it is built again, and dependencies only when Cargo.lock changes.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY proto proto
COPY migrations migrations
COPY docs/errors docs/errors
COPY crates crates
COPY services services
COPY gateway gateway
COPY filmstrip filmstrip
COPY tests tests
COPY xtask xtask
# The commit that `--version` and `/version` tell; nothing when it is not given.
ARG REVISION=""
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    FILMSTRIP_COMMIT="${REVISION}" cargo build --release --locked \
        --package filmstrip-gateway --package filmstrip-asset --package filmstrip-job --package filmstrip-render \
        --package filmstrip-stitch --package filmstrip-audio --package filmstrip \
    && install --strip -D --target-directory=/out \
        target/release/filmstrip-gateway target/release/filmstrip-asset target/release/filmstrip-job \
        target/release/filmstrip-render target/release/filmstrip-stitch target/release/filmstrip-audio \
        target/release/filmstrip \
    && install --directory /out/data

# What every image has. Certificates are what TLS to providers, stores and databases is checked against.
FROM debian:12.13-slim AS plain
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# A number, so that an orchestrator can see that it is not root.
USER 65532:65532
WORKDIR /tmp

# And what looks at or makes media.
FROM plain AS media
USER 0:0
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ffmpeg \
    && rm -rf /var/lib/apt/lists/*
USER 65532:65532

FROM plain AS gateway
LABEL org.opencontainers.image.title="filmstrip-gateway" \
      org.opencontainers.image.description="Filmstrip's public REST API"
COPY --from=build /out/filmstrip-gateway /usr/local/bin/
ENV LISTEN=0.0.0.0:4000
EXPOSE 4000
HEALTHCHECK --interval=5s --timeout=6s --start-period=90s --retries=3 \
    CMD ["/usr/local/bin/filmstrip-gateway", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/filmstrip-gateway"]
CMD ["serve"]

FROM media AS asset
LABEL org.opencontainers.image.title="filmstrip-asset" \
      org.opencontainers.image.description="Filmstrip's clients, campaigns and assets"
COPY --from=build /out/filmstrip-asset /usr/local/bin/
ENV LISTEN=0.0.0.0:5001
EXPOSE 5001
HEALTHCHECK --interval=5s --timeout=6s --start-period=90s --retries=3 \
    CMD ["/usr/local/bin/filmstrip-asset", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/filmstrip-asset"]
CMD ["serve"]

FROM plain AS job
LABEL org.opencontainers.image.title="filmstrip-job" \
      org.opencontainers.image.description="Filmstrip's jobs, scenes and storyboards"
COPY --from=build /out/filmstrip-job /usr/local/bin/
ENV LISTEN=0.0.0.0:5002
EXPOSE 5002
HEALTHCHECK --interval=5s --timeout=6s --start-period=90s --retries=3 \
    CMD ["/usr/local/bin/filmstrip-job", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/filmstrip-job"]
CMD ["serve"]

FROM media AS render
LABEL org.opencontainers.image.title="filmstrip-render" \
      org.opencontainers.image.description="Filmstrip's scenes to clips"
COPY --from=build /out/filmstrip-render /usr/local/bin/
ENV LISTEN=0.0.0.0:5003
EXPOSE 5003
HEALTHCHECK --interval=5s --timeout=6s --start-period=90s --retries=3 \
    CMD ["/usr/local/bin/filmstrip-render", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/filmstrip-render"]
CMD ["serve"]

FROM media AS stitch
LABEL org.opencontainers.image.title="filmstrip-stitch" \
      org.opencontainers.image.description="Filmstrip's clips to videos"
COPY --from=build /out/filmstrip-stitch /usr/local/bin/
ENV LISTEN=0.0.0.0:5004
EXPOSE 5004
HEALTHCHECK --interval=5s --timeout=6s --start-period=90s --retries=3 \
    CMD ["/usr/local/bin/filmstrip-stitch", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/filmstrip-stitch"]
CMD ["serve"]

FROM media AS audio
LABEL org.opencontainers.image.title="filmstrip-audio" \
      org.opencontainers.image.description="Filmstrip's scenes to soundtracks"
COPY --from=build /out/filmstrip-audio /usr/local/bin/
ENV LISTEN=0.0.0.0:5005
EXPOSE 5005
HEALTHCHECK --interval=5s --timeout=6s --start-period=90s --retries=3 \
    CMD ["/usr/local/bin/filmstrip-audio", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/filmstrip-audio"]
CMD ["serve"]

# Everything in one process, its data in the volume /data. Off loopback it wants API_AUTH_KEY. The gateway's program is here for
# its healthcheck, which asks at LISTEN.
FROM media AS filmstrip
LABEL org.opencontainers.image.title="filmstrip" \
      org.opencontainers.image.description="Filmstrip in one process, and its stand-in providers"
COPY --from=build /out/filmstrip /out/filmstrip-gateway /usr/local/bin/
COPY --from=build --chown=65532:65532 /out/data /data
ENV FILMSTRIP_DATA_DIR=/data HOST=0.0.0.0 PORT=4000 LISTEN=127.0.0.1:4000
EXPOSE 4000
VOLUME ["/data"]
HEALTHCHECK --interval=5s --timeout=6s --start-period=90s --retries=3 \
    CMD ["/usr/local/bin/filmstrip-gateway", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/filmstrip"]
CMD ["standalone"]
