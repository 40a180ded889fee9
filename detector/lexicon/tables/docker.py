"""Containers: docker, podman, compose, containerd."""

# ruff: noqa: E501 - a row is read in one piece

from __future__ import annotations

from detector.lexicon.usage import uses
from detector.records import Does

_GONE = Does.DELETE | Does.IRREVERSIBLE

USAGES = (
    *uses(
        "delete-volume", _GONE, "deletes a volume by a command",
        ("docker volume rm|remove", "docker volume rm a", "docker volume ls"),
        ("docker compose down|rm -v|--volumes", "docker compose down -v", "docker compose down"),
    ),
    *uses(
        "prune-volumes", _GONE | Does.BROAD, "deletes volumes widely by a command",
        ("docker volume prune", "docker volume prune -f", "docker volume ls"),
        ("docker system prune --volumes", "docker system prune -a --volumes -f", "docker system prune -f"),
        ("docker system reset", "podman system reset --force", "podman system df"),
    ),
    *uses(
        "prune", Does.DELETE | Does.BROAD, "prunes containers or images by a command",
        ("docker system prune", "docker system prune -f", "docker system df"),
    ),
    *uses(
        "prune-unused", Does.DELETE, "deletes images or containers that are not in use by a command",
        ("docker image|container|builder|network|buildx prune", "docker image prune -f", "docker image ls"),
        without=Does.IRREVERSIBLE | Does.BROAD,
    ),
    *uses("delete-with-volumes", Does.DELETE, "deletes a container with its volumes by a command", ("docker rm -v|--volumes", "docker rm -fv a", "docker rm a")),
    *uses(
        "stop-service", Does.WRITE, "takes containers down by a command", ("docker compose down|stop|pause|kill !-v !--volumes", "docker compose down", "docker compose down -v"), without=Does.IRREVERSIBLE,
    ),
    *uses(
        "escape-container", Does.ESCALATE, "runs a container with the host's rights by a command",
        ("docker run|create|exec --privileged", "docker run --privileged a", "docker run a"),
        ("docker run|create --pid|--userns|--ipc=host", "docker run --pid=host a", "docker run a"),
        ("docker run|create -v|--volume|--mount=/:*|/etc:*|/root:*|*docker.sock*|*source=/,*|*src=/,*", "docker run -v /:/host a", "docker run -v data:/data a"),
        ("docker run|create --cap-add=*all*|*sys_admin*|*sys_ptrace*", "docker run --cap-add=SYS_ADMIN a", "docker run --cap-drop=ALL a"),
        ("docker exec -u|--user=root|0", "docker exec -u root a sh", "docker exec a sh"),
    ),
    *uses(
        "drop-protection", Does.SAFEGUARD, "takes a protection off something by a command",
        ("docker run|create --security-opt=*unconfined*|*disable*", "docker run --security-opt seccomp=unconfined a", "docker run --security-opt no-new-privileges a"),
        ("docker trust revoke", "docker trust revoke a", "docker trust inspect a"),
    ),
    *uses("upload", Does.SEND | Does.WRITE, "sends data out by a command", ("docker push", "docker push a/b:1", "docker pull a/b:1"), ("docker image push", "docker image push a", "docker image ls")),
    *uses("execute", Does.EXECUTE, "runs a program in a container by a command", ("docker compose up|run|exec|build", "docker compose up -d", "docker compose ps")),
    *uses(
        "read-container", Does.READ, "reads from a container by a command",
        ("docker cp *:*", "docker cp api:/app/log.txt .", "docker rm a"),
        ("docker compose config|ps|logs|ls|top|images", "docker compose config", "docker compose up"),
        ("docker system|builder|buildx df|du|info|events", "docker system df", "docker system prune"),
    ),
    *uses(
        "delete-image", Does.DELETE, "deletes an image by a command", ("docker rmi", "docker rmi a", "docker images"),
        ("docker|ctr|crictl image|images|rmi rm|remove", "ctr images rm a", "ctr images ls"), without=Does.IRREVERSIBLE,
    ),
    *uses(
        "read-vault", Does.READ | Does.OPEN_CREDENTIAL, "reads a secret from where secrets are kept by a command",
        ("docker inspect -f|--format=*config.env*", "docker inspect a --format {{.Config.Env}}", "docker inspect a"),
    ),
    *uses("swarm", Does.DELETE, "takes a node or a swarm apart by a command", ("docker swarm leave", "docker swarm leave --force", "docker swarm join"), ("docker node|context|plugin|config rm|remove", "docker node rm a", "docker node ls"), without=Does.IRREVERSIBLE),
)  # fmt: skip
