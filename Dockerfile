# One image for every process of the Procfile; compose.yaml and docs/deploy.md say how it is run.
# BASE may be any Debian 12, also one made with debootstrap.
ARG BASE=docker.io/library/debian:12.12-slim@sha256:d5d3f9c23164ea16f31852f95bd5959aad1c5e854332fe00f7b3a20fcc9f635c

FROM ${BASE} AS build
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates python3.11 python3.11-venv \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/sp404
# Node only copies front-end files, so it stays in this stage.
COPY requirements/ requirements/
RUN python3.11 -m venv /opt/node && python3.11 -m venv .venv \
 && /opt/node/bin/pip install --no-cache-dir --quiet --require-hashes -r requirements/node.txt \
 && .venv/bin/pip install --no-cache-dir --quiet --require-hashes -r requirements/run.txt
COPY package.json package-lock.json .npmrc ./
RUN PATH=/opt/node/bin:$PATH npm ci --omit=dev --loglevel=error
COPY . .
RUN .venv/bin/python -m scripts.vendor \
 && .venv/bin/python -m whitenoise.compress --quiet static \
 && .venv/bin/python -m app.audio.warm \
 && .venv/bin/python -m compileall -q app tasks.py wsgi.py \
 && rm -rf node_modules

FROM ${BASE}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates python3.11 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 404 --home-dir /var/lib/sp404 --create-home sp404
COPY --from=build /srv/sp404 /srv/sp404
# numba locks and completes what it has compiled.
RUN chown -R sp404 /srv/sp404/instance
WORKDIR /srv/sp404
ENV PATH=/srv/sp404/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATA_DIR=/var/lib/sp404 \
    BIND=0.0.0.0
USER sp404
VOLUME /var/lib/sp404
EXPOSE 5000 5001
STOPSIGNAL SIGTERM
# Runs one process of the Procfile by its name: web, worker, engine or release.
ENTRYPOINT ["python", "-m", "scripts.process"]
CMD ["web"]
