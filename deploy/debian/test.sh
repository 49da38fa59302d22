#!/usr/bin/env bash
# The life of the package: built twice and compared, installed, used, upgraded, removed and purged, in
# a root of its own, as another machine would have it. That is an overlay of this machine's file
# system with an empty package database, in a mount namespace; dpkg and the package's scripts run
# there as they do anywhere, and nothing of it reaches the machine. No init runs there, so what systemd
# would do is done by its own tools: sysusers, tmpfiles, `analyze`, and the unit's command line.
#
# usage: test.sh BINARY     needs root; exit code 77 if this machine cannot (said why)
set -euo pipefail
cd "$(dirname "$0")"
binary=$(readlink -f "${1:?usage: test.sh BINARY}")
limit=2.0

skip() { echo "SKIPPED: $1"; exit 77; }
fail() { echo "FAILED: $1" >&2; exit 1; }
[ "$(id -u)" = 0 ] || skip "only root has a root of its own here"
for tool in dpkg-deb unshare systemd-analyze systemd-sysusers strip; do
    command -v "$tool" >/dev/null || skip "install $tool"
done

if [ "${INSIDE:-}" != yes ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1700000000} COMPRESSION="-Zgzip -z1"
    for name in one two; do ./build.sh "$binary" "$work/$name" >/dev/null; done
    cmp "$work"/one/*.deb "$work"/two/*.deb || fail "two builds differ"
    echo "kept   two builds are the same: $(sha256sum < "$(echo "$work"/one/*.deb)" | cut -c1-16)"
    # A later version, and one after it, for upgrades.
    for later in 2 3; do
        PACKAGE_VERSION=$(dpkg-deb -f "$work"/one/*.deb Version | sed 's/-1$//')-$later \
            ./build.sh "$binary" "$work/later-$later" >/dev/null
    done
    for unit in units/*.service; do
        exposure=$(systemd-analyze security --offline=true --no-pager "$unit" |
            sed -n 's/.*Overall exposure level for [^ ]*: \([0-9.]*\).*/\1/p')
        awk -v found="$exposure" -v limit="$limit" 'BEGIN { exit !(found != "" && found <= limit) }' ||
            fail "${unit##*/} has exposure $exposure, at most $limit"
        echo "kept   ${unit##*/}: exposure $exposure of at most $limit"
    done
    mkdir "$work/space"
    unshare --mount --pid --fork --propagation private true 2>/dev/null ||
        skip "no mount namespaces here"
    INSIDE=yes WORK=$work unshare --mount --pid --fork --propagation private "$0" "$binary"
    exit
fi

# An overlay on what may be an overlay itself needs an upper layer that is none.
mount -t tmpfs tmpfs "$WORK/space" || skip "no tmpfs in a namespace"
mkdir "$WORK/space/upper" "$WORK/space/work" "$WORK/space/root"
rootfs=$WORK/space/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$WORK/space/upper,workdir=$WORK/space/work" "$rootfs" ||
    skip "no overlay in a namespace"
mount -t proc proc "$rootfs/proc"
mount --bind /dev "$rootfs/dev"
mkdir -p "$rootfs/packages"
cp "$WORK"/one/*.deb "$rootfs/packages/one.deb"
for later in 2 3; do cp "$WORK"/later-"$later"/*.deb "$rootfs/packages/later-$later.deb"; done
inside() { chroot "$rootfs" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C "$@"; }
status() { inside dpkg-query -W -f '${db:Status-Abbrev}${Version}' tbsi 2>/dev/null || true; }

rm -f "$rootfs/usr/bin/tbsi" "$rootfs/usr/local/bin/tbsi"
said=$(inside dpkg --install /packages/one.deb 2>&1) || fail "install: $said"
[[ $said == *"tbsi node init"* ]] || fail "the install says nothing of what is next: $said"
[[ $(status) == ii* ]] || fail "it is not installed: $(status)"
inside dpkg --verify tbsi || fail "files differ from the package"
for file in usr/share/man/man1/tbsi.1.gz usr/share/man/man1/tbsi-backup-create.1.gz \
    usr/share/bash-completion/completions/tbsi usr/share/zsh/vendor-completions/_tbsi \
    usr/share/fish/vendor_completions.d/tbsi.fish etc/default/tbsi; do
    [ -s "$rootfs/$file" ] || fail "$file is missing"
done
inside getent passwd tbsi >/dev/null || fail "there is no user tbsi"
[ "$(inside stat -c '%U %a' /var/lib/tbsi)" = "tbsi 700" ] || fail "/var/lib/tbsi: $(inside stat -c '%U %a' /var/lib/tbsi)"
inside bash -c 'source /usr/share/bash-completion/completions/tbsi && complete -p tbsi' >/dev/null ||
    fail "bash does not read the completion"
inside systemd-analyze verify --man=no /usr/lib/systemd/system/tbsi.service \
    /usr/lib/systemd/system/tbsi-signer.service || fail "a unit is wrong"
inside tbsi version --json | grep -q '"version"' || fail "tbsi version --json"
echo "kept   installed: program, manual, completions, units, users"

# As the unit does, by its own user: a network of one validator.
user=(setpriv --reuid tbsi --regid tbsi --init-groups)
as() { inside "${user[@]}" "$@"; }
as tbsi testnet up --validators 1 --observers 0 --dir /var/lib/tbsi/network --detach > "$WORK/up.log" 2>&1 ||
    fail "a network of one: $(tail -n 3 "$WORK/up.log")"
as tbsi testnet down --dir /var/lib/tbsi/network > "$WORK/up.log" 2>&1 || fail "$(tail -n 3 "$WORK/up.log")"
[ -d "$rootfs/var/lib/tbsi/network/validator-1" ] || fail "no network was made"
mv "$rootfs/var/lib/tbsi/network/validator-1" "$rootfs/var/lib/tbsi/home"
start() {
    local command
    command=$(sed -n 's/^ExecStart=\(.*\) \$TBSI_NODE_ARGS/\1/p' "$rootfs/usr/lib/systemd/system/tbsi.service")
    # shellcheck disable=SC2086
    chroot "$rootfs" "${user[@]}" $command > "$WORK/node.log" 2>&1 &
    node=$!
    for _ in $(seq 600); do
        grep -q 'node started' "$WORK/node.log" && return
        kill -0 "$node" 2>/dev/null || fail "the node ended: $(tail -n 3 "$WORK/node.log")"
        sleep 0.1
    done
    fail "the node does not start: $(tail -n 3 "$WORK/node.log")"
}
stop() {
    kill -TERM "$node"
    wait "$node" || fail "the node did not end well: $(tail -n 3 "$WORK/node.log")"
}
start
echo "kept   started: $(grep -c . "$WORK/node.log") lines of its log"

# A file of the administrator's stays over upgrades, also over two versions at once.
echo 'TBSI_NODE_ARGS=--archive' > "$rootfs/etc/default/tbsi"
said=$(inside dpkg --install /packages/later-3.deb 2>&1) || fail "upgrade: $said"
[[ $(status) == ii*-3 ]] || fail "upgraded to $(status)"
grep -q archive "$rootfs/etc/default/tbsi" || fail "the upgrade took the administrator's settings"
kill -0 "$node" || fail "the upgrade ended the node"
stop
start
stop
inside dpkg --install /packages/later-2.deb >/dev/null 2>&1 || fail "back to the version before"
[[ $(status) == ii*-2 ]] || fail "went back to $(status)"
echo "kept   upgraded over two versions and back, the node went on, settings stay"

inside dpkg --remove tbsi >/dev/null 2>&1 || fail "remove"
[ ! -e "$rootfs/usr/bin/tbsi" ] || fail "the program is still there"
[ -s "$rootfs/etc/default/tbsi" ] || fail "a removal took the settings"
said=$(inside dpkg --purge tbsi 2>&1) || fail "purge: $said"
[ ! -e "$rootfs/etc/default/tbsi" ] || fail "a purge left the settings"
[ -s "$rootfs/var/lib/tbsi/home/keys/validator.key" ] || fail "a purge took keys"
[ -s "$rootfs/var/lib/tbsi/home/data/sign-state" ] || fail "a purge took the sign-state"
[[ $said == *"holds keys"* ]] || fail "the purge does not say what it leaves: $said"
[ -z "$(status)" ] || [[ $(status) == un* || $(status) == pn* ]] || fail "after the purge: $(status)"
echo "kept   removed and purged: keys and sign-state are left, and that is said"
