#!/usr/bin/env bash
# Builds the Debian package from a program that is built already. Same program, same package, bit for
# bit: times are those of SOURCE_DATE_EPOCH, owners are root, order is that of names.
#
# usage: build.sh BINARY OUT
set -euo pipefail
cd "$(dirname "$0")"
binary=${1:?usage: build.sh BINARY OUT}
out=${2:?usage: build.sh BINARY OUT}
root=../..
: "${SOURCE_DATE_EPOCH:=$(git -c safe.directory='*' -C "$root" log -1 --format=%ct)}"
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
umask 022

for tool in dpkg-deb dpkg strip gzip md5sum sha256sum; do
    command -v "$tool" >/dev/null || { echo "build.sh: install $tool" >&2; exit 2; }
done
[ -x "$binary" ] || { echo "build.sh: $binary is no program; build it first" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
package=$work/package
architecture=$(dpkg --print-architecture)
version=$("$binary" version --json | sed 's/.*"version":"\([^"]*\)".*/\1/')
case $version in
[0-9]*) ;;
*) echo "build.sh: $binary says version '$version'" >&2; exit 2 ;;
esac
# What Debian sorts before the release that it leads to.
version=${PACKAGE_VERSION:-${version//-/\~}-1}

install -D -m 0755 "$binary" "$package/usr/bin/tbsi"
strip --strip-unneeded --enable-deterministic-archives "$package/usr/bin/tbsi"
for unit in units/*.service; do
    install -D -m 0644 "$unit" "$package/usr/lib/systemd/system/${unit##*/}"
done
install -D -m 0644 sysusers.conf "$package/usr/lib/sysusers.d/tbsi.conf"
install -D -m 0644 tmpfiles.conf "$package/usr/lib/tmpfiles.d/tbsi.conf"
install -D -m 0644 default "$package/etc/default/tbsi"
install -D -m 0644 "$root/LICENSE" "$package/usr/share/doc/tbsi/copyright"
install -D -m 0644 "$root/CHANGELOG.md" "$package/usr/share/doc/tbsi/CHANGELOG.md"
for file in "$root"/deploy/prometheus/*.yml; do
    install -D -m 0644 "$file" "$package/usr/share/tbsi/prometheus/${file##*/}"
done
for file in "$root"/deploy/grafana/*.json; do
    install -D -m 0644 "$file" "$package/usr/share/tbsi/grafana/${file##*/}"
done

"$binary" man "$package/usr/share/man/man1" >/dev/null
completion() {
    mkdir -p "$package/$(dirname "$2")"
    "$binary" completions "$1" > "$package/$2"
}
completion bash usr/share/bash-completion/completions/tbsi
completion zsh usr/share/zsh/vendor-completions/_tbsi
completion fish usr/share/fish/vendor_completions.d/tbsi.fish
printf 'tbsi (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- TBSI maintainers <maintainers@tbsi.invalid>  %s\n' \
    "$version" "$(date -u -d "@$SOURCE_DATE_EPOCH" -R)" > "$package/usr/share/doc/tbsi/changelog.Debian"
gzip -9 -n "$package/usr/share/doc/tbsi/changelog.Debian" "$package/usr/share/doc/tbsi/CHANGELOG.md"
find "$package/usr/share/man" -type f -exec gzip -9 -n {} +

# Which libraries it needs, as this machine's packages have them.
mkdir -p "$work/shlibs/debian"
printf 'Source: tbsi\n\nPackage: tbsi\nArchitecture: any\n' > "$work/shlibs/debian/control"
if command -v dpkg-shlibdeps >/dev/null; then
    depends=$(cd "$work/shlibs" && dpkg-shlibdeps -O "$package/usr/bin/tbsi" 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
fi
: "${depends:=libc6 (>= 2.36), libgcc-s1, libstdc++6}"

mkdir -p "$package/DEBIAN"
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@DEPENDS@/$depends/" \
    -e "s/@SIZE@/$(du -sk --apparent-size "$package" | cut -f1)/" control.in > "$package/DEBIAN/control"
echo /etc/default/tbsi > "$package/DEBIAN/conffiles"
for script in scripts/*; do
    install -m 0755 "$script" "$package/DEBIAN/${script##*/}"
done
(cd "$package" && find usr etc -type f -print0 | sort -z | xargs -0 md5sum > DEBIAN/md5sums)
find "$package" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$out"
name=tbsi_${version}_$architecture.deb
# COMPRESSION is for tests, which do not wait for xz.
read -ra compression <<< "${COMPRESSION:--Zxz}"
dpkg-deb --root-owner-group "${compression[@]}" --threads-max=1 --build "$package" "$out/$name" >/dev/null
(cd "$out" && sha256sum "$name" > "$name.sha256" && cat "$name.sha256")
