"""s3-server.py PORT DIR: OpenStack Swift, its S3 API and tempauth in one process on loopback, for scripts/s3-server.

PORT is the S3 endpoint; PORT+1, +2 and +3 are Swift's account, container and object servers. Everything lives in DIR: the
configuration is written anew at every start, the objects persist in DIR/node (as files with user extended attributes).
It verifies signatures, regions, checksums and clocks as a production server does; one replica, no background daemons.
"""

import os
import sys

ACCOUNT, CONTAINER, OBJECT = "account", "container", "object"
SERVICES = {ACCOUNT: 1, CONTAINER: 2, OBJECT: 3}

CLUSTER = """\
[swift-hash]
swift_hash_path_suffix = dimple
[storage-policy:0]
name = Policy-0
default = yes
[swift-constraints]
"""

DEFAULTS = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
swift_dir = {folder}
devices = {folder}/node
mount_check = false
fallocate_reserve = 0
disable_fallocate = true
log_level = WARNING
log_name = {name}
workers = 0
"""

SERVICE = """\
[pipeline:main]
pipeline = app
[app:app]
use = egg:swift#{name}
"""

FILTERS = {
    "catch_errors": "", "gatekeeper": "", "healthcheck": "", "listing_formats": "", "bulk": "",
    "s3api": "location = {region}\nstorage_domain = s3.localhost\nallow_multipart_uploads = true\n"
             "dns_compliant_bucket_names = true\ns3_acl = false\n",
    "tempauth": "user_{account}_{user} = {secret} .admin\n",
    "copy": "", "container-quotas": "", "account-quotas": "", "slo": "", "dlo": "",
    "versioned_writes": "allow_versioned_writes = true\nallow_object_versioning = true\n",
    "symlink": "",
}

PROXY = """\
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
conn_timeout = 5
"""


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def proxy_configuration(port, folder):
    account, user = os.environ["DIMPLE_S3_KEY"].split(":", 1)
    values = {"account": account, "user": user, "secret": os.environ["DIMPLE_S3_SECRET"],
              "region": os.environ["DIMPLE_S3_REGION"]}
    text = DEFAULTS.format(port=port, folder=folder, name="proxy")
    text += f"[pipeline:main]\npipeline = {' '.join(FILTERS)} proxy-server\n"
    for name, options in FILTERS.items():
        text += f"[filter:{name}]\nuse = egg:swift#{name.replace('-', '_')}\n" + options.format(**values)
    return text + PROXY


def write_configuration(port, folder):
    """Returns the cluster's file, and the file of each server with its port."""
    os.makedirs(os.path.join(folder, "node", "d1"), exist_ok=True)
    servers = []
    for name, offset in SERVICES.items():
        text = DEFAULTS.format(port=port + offset, folder=folder, name=name) + SERVICE.format(name=name)
        servers.append((port + offset, write(folder, f"{name}-server.conf", text)))
    servers.append((port, write(folder, "proxy-server.conf", proxy_configuration(port, folder))))
    return write(folder, "swift.conf", CLUSTER), servers


def use_cluster_file(path):
    """Swift looks for /etc/swift/swift.conf, by a constant that several modules copied."""
    import eventlet
    from swift.common import utils
    utils.SWIFT_CONF_FILE = path
    if hasattr(utils, "config"):
        utils.config.SWIFT_CONF_FILE = path
    from swift.common import storage_policy, wsgi
    eventlet.hubs.use_hub(utils.get_hub())
    eventlet.patcher.monkey_patch(all=False, socket=True, select=True, thread=True, time=True)
    for module in (storage_policy, wsgi):
        if hasattr(module, "SWIFT_CONF_FILE"):
            module.SWIFT_CONF_FILE = path
    utils.validate_configuration()
    storage_policy.reload_storage_policies()


def write_rings(port, folder):
    """One device, one replica."""
    from swift.common.ring import RingBuilder
    for name, offset in SERVICES.items():
        builder = RingBuilder(0, 1, 0)
        builder.add_dev({
            "id": 0, "region": 1, "zone": 1, "weight": 1.0, "device": "d1", "meta": "", "ip": "127.0.0.1",
            "port": port + offset, "replication_ip": "127.0.0.1", "replication_port": port + offset})
        builder.rebalance()
        builder.get_ring().save(os.path.join(folder, f"{name}.ring.gz"))


def serve(servers):
    import eventlet
    from eventlet import wsgi as eventlet_wsgi
    from swift.common import wsgi
    protocol = getattr(wsgi, "SwiftHttpProtocol", eventlet_wsgi.HttpProtocol)
    quiet = open(os.devnull, "w")
    threads = []
    for port, configuration in servers:
        application = wsgi.loadapp(configuration)
        socket = eventlet.listen(("127.0.0.1", port), backlog=512)
        threads.append(eventlet.spawn(
            eventlet_wsgi.server, socket, application, quiet, protocol=protocol,
            custom_pool=eventlet.GreenPool(1024)))
    for thread in threads:
        thread.wait()


def main(port, folder):
    cluster, servers = write_configuration(port, folder)
    use_cluster_file(cluster)
    write_rings(port, folder)
    serve(servers)


if __name__ == "__main__":
    main(int(sys.argv[1]), os.path.abspath(sys.argv[2]))
