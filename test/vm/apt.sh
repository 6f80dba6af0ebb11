# test/vm/apt.sh: packages of any architecture, downloaded and not installed; sourced.

# apt_begin ARCH: a private idea of what the system is, with this system's sources.
apt_begin() {
	apt_dir=$(mktemp -d)
	mkdir -p "$apt_dir/lists/partial" "$apt_dir/archives/partial"
	apt_options="-o APT::Architecture=$1 -o APT::Architectures::=$1 -o APT::Sandbox::User=
		-o Dir::State=$apt_dir -o Dir::State::status=/dev/null -o Dir::Cache=$apt_dir
		-o Acquire::Languages=none -o Acquire::Retries=3 -o Debug::NoLocking=1 -q=2"
	apt-get $apt_options update
}

# apt_depends PACKAGE PATTERN: the first dependency like PATTERN.
apt_depends() {
	apt-cache $apt_options depends "$1" |
		awk -v p="$2" '$1 == "Depends:" && $2 ~ p { print $2; exit }'
}

# apt_fetch FOLDER PACKAGE...
apt_fetch() {
	folder=$1
	shift
	mkdir -p "$folder"
	(cd "$folder" && apt-get $apt_options download "$@")
}

apt_end() { rm -rf "$apt_dir"; }
