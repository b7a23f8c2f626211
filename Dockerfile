# Images of the service. Targets: `api`, `worker` (with tfjs-node where it can be had), `worker-cuda`.
# docker-compose.yml builds and joins them.
ARG NODE_IMAGE=node:22-bookworm-slim
# onnxruntime-node 1.30 is built for CUDA 12 and cuDNN 9.
ARG CUDA_IMAGE=nvidia/cuda:12.6.3-cudnn-runtime-ubuntu24.04

FROM ${NODE_IMAGE} AS node

# ---- what npm gives ----
FROM node AS dependencies
WORKDIR /app
# The CPU library lies inside the package; its install script would fetch CUDA libraries.
ENV ONNXRUNTIME_NODE_INSTALL=skip
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force

# libtensorflow comes from Google's servers, which not every builder may reach (and there is no pip here to go round
# them). `optional`: built without it, saying so; `required`: the build fails; `skip`: not tried. The tfjs kernel runs
# all the same, in plain JavaScript, slowly.
FROM dependencies AS dependencies-tfjs
ARG TFJS_NODE=optional
COPY scripts/setup-tfjs.js scripts/
COPY scripts/tfjs-node scripts/tfjs-node
RUN if [ "$TFJS_NODE" = skip ]; then echo 'tfjs-node: skipped'; \
    elif npm_config_omit=dev node scripts/setup-tfjs.js; then echo 'tfjs-node: installed'; \
    elif [ "$TFJS_NODE" = required ]; then exit 1; \
    else echo 'WARNING: this image is WITHOUT tfjs-node (see above); the tfjs kernel is slow in it' >&2; \
    fi; \
    node -e "try { require.resolve('@tensorflow/tfjs-node'); console.log('yes') } catch { console.log('no') }" > tfjs-node.txt

FROM dependencies AS dependencies-cuda
# From NuGet, as the package's own installer does it; the build fails where that cannot be reached.
RUN ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js \
 && test -e node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so

# ---- what runs ----
FROM node AS base
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o 1000 -g 1000 /data
WORKDIR /app
ENV NODE_ENV=production RETORT_DATA=/data
USER 1000:1000
VOLUME /data
STOPSIGNAL SIGTERM
# tini: an init that passes signals on and collects orphans.
ENTRYPOINT ["tini", "--", "node", "bin/retort.js"]

FROM base AS api
COPY --from=dependencies /app/node_modules node_modules
COPY . .
# Off loopback, so API keys are demanded: `docker compose run --rm api keys create --name first` makes one.
ENV RETORT_HOST=0.0.0.0 RETORT_PORT=8080 RETORT_WORKERS=0
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.RETORT_PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["serve"]

FROM base AS worker
COPY --from=dependencies-tfjs /app/node_modules node_modules
# Whether tfjs-node is in this image: `yes` or `no`.
COPY --from=dependencies-tfjs /app/tfjs-node.txt ./
COPY . .
CMD ["worker"]

FROM ${CUDA_IMAGE} AS worker-cuda
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini libstdc++6 \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o 1000 -g 1000 /data
COPY --from=node /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY --from=dependencies-cuda /app/node_modules node_modules
COPY . .
ENV NODE_ENV=production RETORT_DATA=/data
USER 1000:1000
VOLUME /data
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "node", "bin/retort.js"]
CMD ["worker"]
