# The planner's image: web, worker, clock and migrations are the same image with another
# command (docker-compose.yml). Nothing in it is secret, and nothing is written to it.

FROM python:3.11.14-slim-bookworm AS packages
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt


FROM python:3.11.14-slim-bookworm AS app
# pg_dump and pg_restore of the server's own version, for manage.py backup and restore.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 vrp \
    && useradd --uid 10001 --gid vrp --home-dir /tmp --no-create-home --shell /usr/sbin/nologin vrp \
    && install --directory --owner=vrp --group=vrp --mode=700 /backups
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=vrp.settings \
    VRP_DATA_DIR=/app/var
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
# What .dockerignore lets through: the product, no tests, no stand-ins.
COPY . .
# The settings want their secrets; collecting static files uses none of them.
RUN SECRET_KEY=unused DATABASE_URL=postgresql://unused@/unused REDIS_URL=redis://unused \
    python manage.py collectstatic --noinput \
    && python -m compileall -q .
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "deploy/alive.py", "web", "8000"]
CMD ["gunicorn", "vrp.wsgi:application", "--bind=0.0.0.0:8000", "--worker-class=gthread", "--threads=4", "--worker-tmp-dir=/dev/shm", "--no-control-socket"]
