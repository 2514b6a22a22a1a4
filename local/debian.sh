#!/usr/bin/env bash
# Debian's packages of Orthanc, dcmtk and dicom3tools -> .tools/bin: a PACS, DICOM clients and validators for the tests.
# Nothing is installed and nothing is started: packages are unpacked into .tools, without root. Where there is no apt,
# or no network, nothing is made: the tests that need these programs skip, saying so. A second run does nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PACKAGES=(orthanc orthanc-dicomweb dcmtk dicom3tools)
TOOLS=$PWD/.tools
STAMP=$TOOLS/.ready
WANTED="$(sha256sum < local/debian.sh) $TOOLS"

[[ $(cat "$STAMP" 2> /dev/null) == "$WANTED" ]] && exit 0

without() { # why; not an error: only the tests that need the programs are skipped
  echo "Debian's DICOM programs are left out ($*): tests with a PACS and with validators will be skipped." >&2
  exit 0
}

for program in apt-get dpkg-deb; do
  command -v "$program" > /dev/null || without "$program is missing"
done

# apt with directories of its own: it resolves what this machine lacks, and touches nothing of the system.
apt() { # arguments of apt-get
  apt-get -qq -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" \
    -o Dir::Cache="$TOOLS/apt/cache" -o Dir::State::extended_states="$TOOLS/apt/extended_states" "$@"
}
own_lists=(-o Dir::State::lists="$TOOLS/apt/lists")
download=(install --yes --no-install-recommends --download-only "${PACKAGES[@]}")

rm -rf "$TOOLS"
mkdir -p "$TOOLS"/apt/{lists,cache/archives}/partial "$TOOLS/root" "$TOOLS/bin"
echo '*' > "$TOOLS/.gitignore"
echo "Fetching Debian's ${PACKAGES[*]} into .tools ..."
if ! apt "${download[@]}" > "$TOOLS/apt/log" 2>&1; then # no package lists here, or old ones
  { apt "${own_lists[@]}" update && apt "${own_lists[@]}" "${download[@]}"; } >> "$TOOLS/apt/log" 2>&1 ||
    without "apt cannot fetch them, see .tools/apt/log"
fi
for package in "$TOOLS"/apt/cache/archives/*.deb; do
  dpkg-deb --extract "$package" "$TOOLS/root"
done

# A package that this machine has installed is not fetched: its program is taken from where it is.
wrap() { # name, program
  {
    echo '#!/bin/sh'
    echo "export LD_LIBRARY_PATH='$libraries'"
    echo "export DCMDICTPATH='$dictionary'"
    echo "exec '$2' \"\$@\""
  } > "$TOOLS/bin/$1"
  chmod +x "$TOOLS/bin/$1"
}

first() { # arguments of find; empty where there is none
  find "$@" 2> /dev/null | head -n 1 || true
}

libraries=$(find "$TOOLS/root" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
dictionary=$(first "$TOOLS/root/usr/share" /usr/share -maxdepth 2 -path '*libdcmtk*/dicom.dic')
for folder in "$TOOLS"/root/usr/bin "$TOOLS"/root/usr/sbin; do
  for program in "$folder"/*; do
    if [[ -f $program && -x $program ]]; then wrap "${program##*/}" "$program"; fi
  done
done
for program in Orthanc storescu echoscu dcmdump dsrdump dciodvfy; do
  [[ -e $TOOLS/bin/$program ]] && continue
  installed=$(command -v "$program") || without "$program is not in the packages"
  wrap "$program" "$installed"
done
plugin=$(first "$TOOLS/root/usr/lib/orthanc" /usr/lib/orthanc -name 'libOrthancDicomWeb.so*')
[[ $plugin ]] || without "the DICOMweb plugin is not in the packages"
ln -s "$plugin" "$TOOLS/orthanc-dicomweb.so"

rm -rf "$TOOLS/apt/cache" "$TOOLS/apt/lists"
printf '%s\n' "$WANTED" > "$STAMP"
