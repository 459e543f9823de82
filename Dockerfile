# Both servers, built once; each gets a small image of its own, without shell or package manager:
#   docker build --target idp .      docker build --target rp .
# docker-compose.yml builds and starts the two together.

FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
# The cache mounts keep downloaded crates and compiled dependencies from one build to the next, so that a change
# in our own code recompiles our own crates only. What they hold is gone after the RUN: the binaries are copied out.
# `touch`: cargo trusts time stamps, and a fresh clone may be older than what an earlier clone left in the cache.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    find crates -name '*.rs' -exec touch {} + && \
    cargo build --release --locked --features idp/jemalloc --bin idp --bin rp && \
    mkdir /out && cp target/release/idp target/release/rp /out/

FROM gcr.io/distroless/cc-debian12:nonroot AS runtime
# By number, so that an orchestrator can see that it is not root.
USER 65532:65532

# In a container "loopback" is the container's own, which no published port reaches: hence 0.0.0.0.
# Who may reach the port is said where it is published.
# Stopping sends SIGTERM, which both servers answer by finishing the requests they have.
FROM runtime AS idp
COPY --from=build /out/idp /usr/local/bin/idp
ENV IDP_BIND=0.0.0.0:5001
EXPOSE 5001
HEALTHCHECK --interval=2s --timeout=3s --start-period=30s CMD ["idp", "health"]
ENTRYPOINT ["idp"]

FROM runtime AS rp
COPY --from=build /out/rp /usr/local/bin/rp
ENV RP_BIND=0.0.0.0:5002
EXPOSE 5002
HEALTHCHECK --interval=2s --timeout=3s --start-period=30s CMD ["rp", "health"]
ENTRYPOINT ["rp"]
