# Two stages: everything is fetched and checked in the first, the second has no shell and no package manager.
# It was written without a registry of images in reach and has not been built there.
FROM denoland/deno:2.9.6 AS build
WORKDIR /app
COPY deno.json deno.lock ./
COPY tests/std_assert tests/std_assert
COPY main.ts serve.ts ./
COPY core core
COPY routes routes
RUN deno install --frozen --entrypoint serve.ts && deno check serve.ts && deno task page

FROM denoland/deno:distroless-2.9.6
WORKDIR /app
COPY --from=build --chown=65532:65532 /app /app
COPY --from=build --chown=65532:65532 /deno-dir /deno-dir
USER 65532:65532
ENV DENO_DIR=/deno-dir HOST=0.0.0.0 PORT=8000 AMALGAM_DATA=/data MALLOC_MMAP_THRESHOLD_=1048576 MALLOC_ARENA_MAX=2 DENO_WEBGPU_BACKEND=vulkan,metal,dx12
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s CMD ["deno", "eval", "const r = await fetch('http://127.0.0.1:8000/healthz'); Deno.exit(r.ok ? 0 : 1)"]
# As the task `serve` of deno.json, with the folder of the store as the only place to write.
CMD ["run", "--v8-flags=--max-semi-space-size=8,--heap-growing-percent=50", "--no-prompt", "--cached-only", "--allow-net", "--deny-net=169.254.0.0/16,100.100.100.200,192.0.0.192,168.63.129.16,[fd00:ec2::254]", "--allow-read", "--allow-write=/data", "--allow-env=HOST,PORT,AMALGAM_*,DENO_*,OTEL_*,HTTP_PROXY,HTTPS_PROXY,ALL_PROXY,http_proxy,https_proxy,all_proxy", "--ignore-env", "--allow-sys=systemMemoryInfo,setPriority", "serve.ts"]
