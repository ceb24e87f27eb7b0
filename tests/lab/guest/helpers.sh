# What the scripts of a scenario can use. They are run by bash in the guest, as root, in /opt/lab/scenarios/NAME, with
#   INTENSITY   about 1 (0.8 to 1.25 by the seed): how much of the fault to make, see `scaled`
#   SEED        a small number
#   CPUS        of the guest
# Faults are started with `unit` or `program`, so that they do not run in the lab's own control group, and go on after
# the script has ended. /srv is a disk of its own (vdb), as slow as an old notebook's: 300 requests and 30 MB a second.
# shellcheck shell=bash
set -u
export PATH=/opt/lab/bin:$PATH LC_ALL=C.UTF-8
export CPUS
CPUS=$(nproc)

# unit NAME [SYSTEMD-RUN-OPTION...] -- COMMAND...: a service NAME.service of its own.
unit() {
        local name=$1 options=()
        shift
        while [[ $1 != -- ]]; do options+=("$1") && shift; done
        shift
        systemctl reset-failed "$name" 2>/dev/null || true
        systemd-run --quiet --collect --unit="$name" "${options[@]}" -- "$@"
}

# start_users: whoever uses the machine, and measures how long it makes them wait.
start_users() {
        systemctl start nginx
        unit web-client -- /opt/lab/bin/web-client 8080
        unit ui-ticks -- /opt/lab/bin/ui-ticks
        unit note-writer -- /opt/lab/bin/note-writer /srv/notes/today
}

# editor FILE: somebody who saves there (note-writer) instead of on /srv, and whose file has its blocks already.
editor() {
        systemctl stop note-writer
        head -c 256K /dev/zero >"$1"
        sync "$1"
        unit editor -- note-writer "$1"
}

# scaled NUMBER: times the intensity, a whole number, at least 1.
scaled() {
        awk -v n="$1" -v i="${INTENSITY:-1}" 'BEGIN { v = int(n * i + 0.5); print v < 1 ? 1 : v }'
}

# slowed PROBES FACTOR [SECONDS]: the median wait of one of them over the last SECONDS (10) is FACTOR times the usual.
slowed() {
        local one now usual
        probe-all "${3:-10}" >/run/lab/now
        for one in $1; do
                now=$(counter /run/lab/now "$one")
                usual=$(counter /run/lab/usual "$one")
                echo "$one: $now us, usually $usual us"
                awk -v n="$now" -v u="$usual" -v f="$2" 'BEGIN { exit !(n > 0 && u > 0 && n >= f * u) }' && return 0
        done
        return 1
}

# unhurt PROBE FACTOR [SECONDS]: the opposite, for what looks like a fault and is none.
unhurt() {
        ! slowed "$@"
}

# pressure KIND some|full: permille of the next SECONDS (5) that somebody stood still.
pressure() {
        local before after
        before=$(sed -n "s/^$2 .*total=//p" "/proc/pressure/$1")
        sleep "${3:-5}"
        after=$(sed -n "s/^$2 .*total=//p" "/proc/pressure/$1")
        echo $(((after - before) / 1000 / ${3:-5}))
}

# at_least WHAT VALUE MINIMUM: says both, and is true if it is.
at_least() {
        echo "$1: $2 (at least $3)"
        awk -v v="$2" -v m="$3" 'BEGIN { exit !(v >= m) }'
}

# counter FILE KEY: the value after KEY in a file of "key value" lines; rate FILE KEY [SECONDS]: a second.
counter() {
        awk -v k="$2" '$1 == k { print $2 }' "$1"
}
rate() {
        local before after
        before=$(counter "$1" "$2")
        sleep "${3:-5}"
        after=$(counter "$1" "$2")
        echo $(((after - before) / ${3:-5}))
}

# disk_busy NAME [SECONDS]: milliseconds with requests in flight, each second.
disk_busy() {
        local before after
        before=$(awk -v n="$1" '$3 == n { print $13 }' /proc/diskstats)
        sleep "${2:-5}"
        after=$(awk -v n="$1" '$3 == n { print $13 }' /proc/diskstats)
        echo $(((after - before) / ${2:-5}))
}

# serve_nfs: a file server on this machine, mounted at /mnt/files, with somebody who saves there (`editor`).
serve_nfs() {
        mkdir -p /srv/export /mnt/files
        chmod 777 /srv/export
        echo '/srv/export 127.0.0.1(rw,no_root_squash,insecure,no_subtree_check,fsid=1)' >/etc/exports
        systemctl start nfs-server
        exportfs -ra
        mount -t nfs -o "vers=4.2,${1:-hard}" 127.0.0.1:/srv/export /mnt/files
}

# serve_cifs: the same by samba, as a guest.
serve_cifs() {
        mkdir -p /srv/export /mnt/files /run/lab/samba
        chmod 777 /srv/export
        cat >/run/lab/smb.conf <<-'CONF'
		[global]
		server role = standalone server
		interfaces = lo
		bind interfaces only = yes
		map to guest = Bad User
		disable spoolss = yes
		load printers = no
		[files]
		path = /srv/export
		guest ok = yes
		read only = no
		force user = root
	CONF
        unit file-server -- smbd --foreground --no-process-group --configfile=/run/lab/smb.conf
        until mount -t cifs -o guest,vers=3.1.1 //127.0.0.1/files /mnt/files 2>/run/lab/mount.log; do sleep 1; done
}

# serve_sshfs: the same over ssh.
serve_sshfs() {
        mkdir -p /srv/export /mnt/files
        ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
        cat /root/.ssh/id_ed25519.pub >>/root/.ssh/authorized_keys
        unit sshfs -- sshfs -f -o StrictHostKeyChecking=no,allow_other 127.0.0.1:/srv/export /mnt/files
        until mountpoint --quiet /mnt/files; do sleep 1; done
}

# slow_nfs, slow_cifs, slow_sshfs MILLISECONDS: what goes to and comes from the file server takes so long; everything
# else on lo does not.
slow_nfs() { slow_port 2049 "$1"; }
slow_cifs() { slow_port 445 "$1"; }
slow_sshfs() { slow_port 22 "$1"; }
slow_port() {
        tc qdisc replace dev lo root handle 1: prio bands 3 priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        tc qdisc replace dev lo parent 1:3 handle 30: netem delay "$2ms" limit 10000
        tc filter add dev lo parent 1: protocol ip u32 match ip dport "$1" 0xffff flowid 1:3
        tc filter add dev lo parent 1: protocol ip u32 match ip sport "$1" 0xffff flowid 1:3
}

# cut_nfs: the file server does not answer any more.
cut_nfs() {
        iptables -I INPUT -i lo -p tcp --dport 2049 -j DROP
        iptables -I INPUT -i lo -p tcp --sport 2049 -j DROP
}

# lazy_disk NAME MEGABYTES: /dev/mapper/NAME, whose delay can be set: delay_disk NAME MILLISECONDS.
lazy_disk() {
        local image=/var/lib/$1.img lower
        fallocate -l "${2}M" "$image"
        lower=$(losetup --find --show --direct-io=on "$image")
        dmsetup create "$1" --table "0 $(blockdev --getsz "$lower") delay $lower 0 0"
}
delay_disk() {
        local table
        table=$(dmsetup table "$1" | awk -v delay="$2" '{ $6 = delay; print }')
        dmsetup suspend "$1"
        dmsetup load "$1" --table "$table"
        dmsetup resume "$1"
}

# mirror DIRECTORY MEGABYTES: a file system on an array of two disks, /dev/md0.
mirror() {
        local one disks=()
        mkdir -p "$1" /srv/images
        for one in left right; do
                truncate -s "${2}M" "/srv/images/$one"
                disks+=("$(losetup --find --show "/srv/images/$one")")
        done
        mdadm --create /dev/md0 --quiet --run --assume-clean --level=1 --raid-devices=2 "${disks[@]}"
        mkfs.ext4 -q -F /dev/md0
        mount /dev/md0 "$1"
}

# small_disk DIRECTORY MEGABYTES [MKFS-OPTION...]: a file system of its own there.
small_disk() {
        local directory=$1 size=$2
        shift 2
        mkdir -p "$directory" /srv/images
        truncate -s "${size}M" "/srv/images/${directory##*/}"
        mkfs.ext4 -q -F -m 0 "$@" "/srv/images/${directory##*/}"
        mount -o loop "/srv/images/${directory##*/}" "$directory"
}

# serial_disk MEGABYTES REQUESTS [MEGABYTES-A-SECOND]: /dev/nullb0 (the next one: nullb1), a disk of its own that does
# one thing after the other, so many and so much a second, reading, writing or discarding: as a SATA drive that cannot
# queue its TRIM commands. It is in this machine's memory, as far as it is written to. (A virtio disk's limits hold for
# reads and writes apart, and not at all for discards; and /srv is too fast for emulated CPUs to keep it busy with small
# files.)
serial_disk() {
        local name queue one
        modprobe null_blk nr_devices=0
        name=nullb$(find /sys/kernel/config/nullb -name 'nullb?' | wc -l)
        queue=/sys/block/$name/queue
        mkdir "/sys/kernel/config/nullb/$name"
        for one in memory_backed=1 discard=1 irqmode=2 hw_queue_depth=1 submit_queues=1 blocksize=4096 \
                "completion_nsec=$((1000000000 / $2))" "mbps=${3:-0}" "size=$1" power=1; do
                echo "${one#*=}" >"/sys/kernel/config/nullb/$name/${one%=*}"
        done
        echo mq-deadline >"$queue/scheduler"
        # Twice: Linux 6.1 tells the scheduler of the length that the queue had before.
        for one in 63 64; do echo "$one" >"$queue/nr_requests"; done
        # null_blk never does what exceeds a fiftieth of its bytes a second.
        echo 120 >"$queue/max_sectors_kb"
        echo $((120 << 10)) >"$queue/discard_max_bytes"
}

# serial_ext4 DIRECTORY MEGABYTES REQUESTS [MEGABYTES-A-SECOND], serial_btrfs: a file system on such a disk.
serial_ext4() {
        serial_disk "${@:2}"
        mkfs.ext4 -q -F -m 0 -N 8192 -J size=8 -E nodiscard,lazy_itable_init=0 /dev/nullb0
        mkdir -p "$1"
        mount /dev/nullb0 "$1"
}
serial_btrfs() {
        serial_disk "${@:2}"
        mkfs.btrfs -q -f -K /dev/nullb0
        mkdir -p "$1"
        mount /dev/nullb0 "$1"
}

# serial_mirror DIRECTORY MEGABYTES REQUESTS: a file system on an array of two such disks, /dev/md0.
serial_mirror() {
        serial_disk "${@:2}"
        serial_disk "${@:2}"
        mdadm --create /dev/md0 --quiet --run --assume-clean --level=1 --raid-devices=2 /dev/nullb0 /dev/nullb1
        mkfs.ext4 -q -F -m 0 -N 8192 -J size=8 -E nodiscard,lazy_itable_init=0 /dev/md0
        mkdir -p "$1"
        mount /dev/md0 "$1"
}
