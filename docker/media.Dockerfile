# Images of the services that speak RTSP by Debian's GStreamer: ingest and rtsp.
# ---- the same lines in every Dockerfile here, so that a machine builds, holds and pulls these layers once
ARG BASE=python:3.11-slim-bookworm

# The program itself, made and compiled where no image keeps the tools.
FROM ${BASE} AS program
WORKDIR /source
COPY docker/requirements/build.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement build.lock \
    && python -m venv --without-pip /opt/sightline
COPY pyproject.toml README.md LICENSE ./
COPY model model
COPY services services
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip --python /opt/sightline/bin/python install --no-cache-dir --no-deps --prefix /program /wheels/*.whl

# What all services need. The process writes to /tmp only, so that the root may be read-only: whatever is
# imported has to be compiled before, Python's own library too, which the base brings uncompiled.
FROM ${BASE} AS common
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old \
    && groupadd --gid 10001 sightline \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin sightline \
    && install --directory --owner 10001 --group 10001 --mode 0750 \
       /etc/sightline/secrets/mongodb /etc/sightline/secrets/mongodb-store \
       /etc/sightline/secrets/mongodb-web /etc/sightline/secrets/nats-ingest \
       /etc/sightline/secrets/nats-detector /etc/sightline/secrets/nats-store \
       /etc/sightline/secrets/nats-web /etc/sightline/secrets/nats-rtsp /etc/sightline/secrets/admin /videos \
    && python -m compileall -q \
       -x '/(config-.*|ensurepip|idlelib|lib2to3|site-packages|test|tests|tkinter|turtledemo)/' \
       /usr/local/lib/python3.11
ENV HOME=/tmp PATH=/opt/sightline/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY docker/healthcheck.py docker/requirements/common.lock /usr/local/lib/sightline/
RUN python -m venv --without-pip /opt/sightline \
    && pip --python /opt/sightline/bin/python install --no-cache-dir --no-deps --require-hashes \
       --requirement /usr/local/lib/sightline/common.lock
ENTRYPOINT ["tini", "--", "sightline"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-IS", "/usr/local/lib/sightline/healthcheck.py", "http://127.0.0.1:9090/readyz"]

# What decodes, draws and encodes pictures.
FROM common AS pictures
COPY docker/requirements/pictures.lock /usr/local/lib/sightline/
RUN pip --python /opt/sightline/bin/python install --no-cache-dir --no-deps --require-hashes \
    --requirement /usr/local/lib/sightline/pictures.lock
# ---- end of the same lines

# Debian's packages of GStreamer's plug-ins depend on graphics drivers, GTK and Perl: half a gigabyte that no
# server uses. So the files that the two RTSP ports need are taken out of those packages, and the libraries
# behind them are installed as packages.
FROM ${BASE} AS gstreamer
WORKDIR /packages
RUN apt-get update \
    && apt-get download gir1.2-gst-plugins-base-1.0 gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-bad \
       gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly \
       libgstreamer-plugins-bad1.0-0 libgstrtspserver-1.0-0 python3-gi \
    && for package in *.deb; do dpkg-deb --extract "$package" .; done
RUN mkdir /chosen \
    && for plugin in app rtp rtpmanager udp videoparsersbad x264; do \
           cp --parents usr/lib/*/gstreamer-1.0/libgst$plugin.so /chosen; \
       done \
    && cp --archive --parents usr/lib/*/girepository-1.0 usr/lib/*/libgstcodecparsers-1.0.so.0* \
       usr/lib/*/libgstrtspserver-1.0.so.0* usr/lib/python3/dist-packages/gi /chosen

FROM pictures AS media
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
       gir1.2-gstreamer-1.0 libgirepository-1.0-1 libgstreamer-plugins-base1.0-0 libx264-164 \
    && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old
COPY --from=gstreamer /chosen /
ENV GST_REGISTRY=/tmp/gstreamer-registry.bin PYTHONPATH=/usr/lib/python3/dist-packages

FROM media AS ingest
COPY --from=program /program /opt/sightline
COPY configmaps/ingest.yaml /etc/sightline/config/
USER 10001:10001
EXPOSE 8553 8554
CMD ["serve", "ingest", "--config", "/etc/sightline/config/ingest.yaml"]
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Sightline ingest" \
      org.opencontainers.image.description="Connects cameras, and gives their pictures to the other services" \
      org.opencontainers.image.licenses="Apache-2.0 AND BSD-2-Clause AND BSD-3-Clause AND GPL-2.0-or-later AND GPL-3.0-or-later AND ISC AND LGPL-2.1-or-later AND MIT AND MIT-0 AND PSF-2.0 AND 0BSD AND CC0-1.0 AND Zlib" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

FROM media AS rtsp
COPY --from=program /program /opt/sightline
COPY configmaps/rtsp.yaml /etc/sightline/config/
USER 10001:10001
EXPOSE 8555
CMD ["serve", "rtsp", "--config", "/etc/sightline/config/rtsp.yaml"]
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Sightline rtsp" \
      org.opencontainers.image.description="Pictures with boxes and lines by RTSP" \
      org.opencontainers.image.licenses="Apache-2.0 AND BSD-2-Clause AND BSD-3-Clause AND GPL-2.0-or-later AND GPL-3.0-or-later AND ISC AND LGPL-2.1-or-later AND MIT AND MIT-0 AND PSF-2.0 AND 0BSD AND CC0-1.0 AND Zlib" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
