# Shared by the scripts here; sourced, never run. $here is the caller's folder.

say() { echo "sonde: $*" >&2; }

# packages SECTION...: the package names of those sections of scripts/packages.
packages() {
	for section in "$@"; do
		awk -v want="[$section]" '
			/^\[/ { on = ($0 == want); seen += on; next }
			on && NF && !/^#/ { print $1 }
			END { if (!seen) exit 1 }' "$here/packages" ||
			{ say "scripts/packages has no section [$section]"; return 1; }
	done | sort -u
}

# missing_packages NAME...: those that dpkg does not have installed.
missing_packages() {
	for p in "$@"; do
		case " $(dpkg-query -W -f '${db:Status-Status} ' "$p" 2>/dev/null)" in
		*" installed "*) ;;
		*) printf '%s ' "$p" ;;
		esac
	done
}

# host_is_baseline: is this Debian 13 (or a later one, or a derivative of it)?
host_is_baseline() {
	[ -r /etc/debian_version ] || return 1
	case $(cat /etc/debian_version) in
	trixie* | forky* | sid*) return 0 ;;
	[0-9]*) [ "$(cut -d. -f1 /etc/debian_version)" -ge 13 ] ;;
	*) return 1 ;;
	esac
}

# debian_mirror: the mirror that this machine's apt already uses for Debian.
debian_mirror() {
	m=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' \
		'Created-By: Packages' 2>/dev/null |
		awk '$2 == "Debian" && $3 == "Debian" { print $1; exit }')
	if [ -z "$m" ]; then
		apt-get update >/dev/null 2>&1 || true
		m=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' \
			'Created-By: Packages' 2>/dev/null |
			awk '$2 == "Debian" && $3 == "Debian" { print $1; exit }')
	fi
	[ -n "$m" ] || { say "apt knows no Debian mirror on this machine"; return 1; }
	echo "$m"
}
