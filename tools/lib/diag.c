// SPDX-License-Identifier: GPL-2.0-or-later
#include "diag.h"
#include "look.h"
#include "wrap.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/*
 * The one table. The first line whose step, errno and probe fit is the
 * diagnosis, so within a step the special comes before the general. Codes are
 * never used again for something else.
 */
static const struct diag table[] = {
	{ "ZC001", "io-uring-disabled", ZCRX_STEP_RING, EPERM, look_io_uring_disabled,
	  "io_uring is switched off: kernel.io_uring_disabled is {have}", NULL,
	  .command = "sysctl kernel.io_uring_disabled=0" },
	{ "ZC002", "io-uring-forbidden", ZCRX_STEP_RING, EPERM, NULL,
	  "io_uring is forbidden here, perhaps by a container's seccomp profile",
	  "run outside of the container, or allow io_uring_setup, io_uring_enter and io_uring_register" },
	{ "ZC003", "io-uring-missing", ZCRX_STEP_RING, ENOSYS, NULL,
	  "this kernel has no io_uring, or a seccomp profile hides it",
	  "boot a kernel with CONFIG_IO_URING=y" },
	{ "ZC004", "kernel-too-old", ZCRX_STEP_RING, EINVAL, look_kernel,
	  "Linux {have} has no IORING_SETUP_DEFER_TASKRUN, which came with 6.1",
	  "boot a newer kernel, or use --backend epoll" },
	{ "ZC005", "ring-memory", ZCRX_STEP_RING, ENOMEM, NULL,
	  "no memory for the io_uring, or more than RLIMIT_MEMLOCK allows",
	  "ulimit -l unlimited, or a smaller --cq" },

	{ "ZC010", "no-zero-copy-receive", ZCRX_STEP_QUEUE, ENOSYS, look_kernel,
	  "Linux {have} does not have it: rbuf rings are those of this series, upstream's came with 6.15",
	  "boot the kernel that 'make linux' builds, or 6.15 and later, or use --backend copy" },
	{ "ZC011", "no-net-admin", ZCRX_STEP_QUEUE, EPERM, look_no_net_admin,
	  "binding an RX queue needs CAP_NET_ADMIN", "run as root",
	  .command = "setcap cap_net_admin,cap_ipc_lock+ep $(command -v {prog})",
	  .check = CHECK_CAPABILITY, .look = look_no_net_admin },
	{ "ZC012", "net-admin-of-namespace", ZCRX_STEP_QUEUE, EPERM, look_user_namespace,
	  "CAP_NET_ADMIN of a user namespace (a container's root) does not reach this interface",
	  "run as root of the host",
	  .check = CHECK_CAPABILITY, .look = look_foreign_namespace },
	/* what no errno tells apart, but the kernel's own words do */
	{ "ZC114", "cpu-offline", ZCRX_STEP_QUEUE, EINVAL, NULL,
	  "the processor that --cpu names is not there, or is offline",
	  "one of /sys/devices/system/cpu/online, or leave out --cpu", .says = "is not online" },
	{ "ZC115", "interrupt-fixed", ZCRX_STEP_QUEUE, EOPNOTSUPP, NULL,
	  "the queue's interrupt cannot be moved to another processor on this machine",
	  "leave out --cpu", .says = "cannot move interrupt" },
	{ "ZC116", "device-absent", ZCRX_STEP_QUEUE, ENODEV, NULL,
	  "the device of {iface} is suspended, or is being reset",
	  "try again; if the kernel's log tells that it failed to come back, have the driver probe it anew:"
	  " write its PCI address to unbind, then to bind, in /sys/bus/pci/drivers/bnxt_en",
	  .says = "device is not present" },
	{ "ZC132", "firmware-reset", ZCRX_STEP_QUEUE, EBUSY, NULL,
	  "the firmware of {iface} is being reset",
	  "try again in a few seconds; the kernel's log tells how it goes", .says = "firmware is being reset" },
	{ "ZC117", "dma-map", ZCRX_STEP_QUEUE, ENOMEM, NULL,
	  "the IOMMU or the bounce buffers of {iface} have no room for a region of {region}",
	  "a smaller --region, or iommu= and swiotlb= of the kernel's command line",
	  .says = "cannot map the region" },
	{ "ZC118", "restart-failed", ZCRX_STEP_QUEUE, 0, NULL,
	  "the firmware of {iface} could not restart the queue, or there was no memory for it",
	  "another queue; the kernel's log has the command that failed",
	  .says = "restart of the queue failed" },

	{ "ZC013", "no-interface", ZCRX_STEP_QUEUE, ENODEV, NULL,
	  "there is no interface {iface} in this network namespace",
	  "ip link shows which there are; ip netns exec NAME {prog} ... runs in another namespace",
	  .check = CHECK_INTERFACE, .look = look_no_interface },
	{ "ZC014", "queue-range", ZCRX_STEP_QUEUE, 0, look_queue_range,
	  "there is no queue {queue}: {iface} has {have}", "-q with one of these",
	  .command = "ethtool -L {iface} {want}",
	  .check = CHECK_QUEUE, .look = look_queue_range },
	{ "ZC015", "interface-down", ZCRX_STEP_QUEUE, 0, look_down,
	  "{iface} is down", NULL,
	  .command = "ip link set {iface} up",
	  .check = CHECK_INTERFACE, .look = look_down },
	{ "ZC100", "xdp-attached", ZCRX_STEP_QUEUE, EEXIST, look_xdp,
	  "an XDP program is attached to {iface}, which wants packets in one piece", NULL,
	  .command = "ip link set {iface} {have} off",
	  .check = CHECK_XDP, .look = look_xdp },
	{ "ZC113", "xdp-above", ZCRX_STEP_QUEUE, EEXIST, NULL,
	  "an XDP program is attached to a device above {iface}, such as a bond",
	  "ip link set BOND xdp off", .says = "attached to a device above" },
	{ "ZC101", "queue-dmabuf", ZCRX_STEP_QUEUE, EEXIST, look_queue_dmabuf,
	  "queue {queue} of {iface} is bound to a dma-buf, of devmem TCP",
	  "end its user, or take another queue",
	  .check = CHECK_OWNER, .look = look_queue_dmabuf },
	{ "ZC016", "queue-bound", ZCRX_STEP_QUEUE, EEXIST, look_queue_owner,
	  "queue {queue} of {iface} is bound already, by {have}",
	  "end the other receiver, wait a moment, or take another queue",
	  .command = "kill {want}",
	  .check = CHECK_OWNER, .look = look_queue_bound },
	{ "ZC102", "queue-af-xdp", ZCRX_STEP_QUEUE, EBUSY, look_xsk,
	  "an AF_XDP socket has queue {queue} of {iface}, that of {have}",
	  "end its user, or take another queue",
	  .command = "kill {want}",
	  .check = CHECK_AF_XDP, .look = look_xsk },
	{ "ZC103", "af-xdp-somewhere", ZCRX_STEP_QUEUE, -1, NULL,
	  "AF_XDP sockets: {have}; this kernel does not tell on which queues they are",
	  "take a queue that they do not have",
	  .check = CHECK_AF_XDP, .look = look_xsk_somewhere, .advice = true },
	{ "ZC017", "queue-busy", ZCRX_STEP_QUEUE, EBUSY, NULL,
	  "queue {queue} of {iface} is in use, by an AF_XDP socket perhaps",
	  "end its user (ss -a --xdp), or take another queue" },
	{ "ZC018", "virtual-interface", ZCRX_STEP_QUEUE, EOPNOTSUPP, look_virtual,
	  "{iface} is a virtual interface: no NIC is behind it that could write into the region",
	  "name the NIC with -i, or use --backend copy",
	  .check = CHECK_INTERFACE, .look = look_virtual },
	{ "ZC111", "split-switched-off", ZCRX_STEP_QUEUE, EOPNOTSUPP, NULL,
	  "header/data split of {iface} was switched off; else binding the queue switches it on",
	  NULL, .says = "header/data split is off",
	  .command = "zcrx-split {iface} on 0",
	  .check = CHECK_SPLIT, .look = look_split_off },
	{ "ZC112", "few-hardware-rings", ZCRX_STEP_QUEUE, 0, NULL,
	  "{iface} has too few hardware rings to split headers from data on all of its queues",
	  "fewer queues: ethtool -L {iface} combined N", .says = "too few hardware rings" },
	{ "ZC019", "driver-without-support", ZCRX_STEP_QUEUE, EOPNOTSUPP, look_driver,
	  "the driver {have} of {iface} cannot put payload into memory of ours",
	  "use a NIC of the bnxt_en family with this series' driver or that of Linux 6.15 and later, whose "
	  "firmware can restart single queues; one of mlx5_core, gve or fbnic with a Linux whose driver has "
	  "it; or --backend copy" },
	{ "ZC027", "split-off", ZCRX_STEP_QUEUE, EINVAL, look_split,
	  "{iface} does not split headers from data on demand and without a threshold: it is {have}",
	  "zcrx-flow up {iface} --queue {queues} --port {port}",
	  .command = "zcrx-split {iface} on 0",
	  .check = CHECK_SPLIT, .look = look_split },
	{ "ZC020", "memlock", ZCRX_STEP_BUFFERS, ENOMEM, look_memlock,
	  "the region of {region} exceeds RLIMIT_MEMLOCK, {have}",
	  "LimitMEMLOCK= in a systemd unit, or a smaller --region",
	  .command = "ulimit -l {want}",
	  .check = CHECK_MEMLOCK, .look = look_memlock },
	{ "ZC021", "no-hugepages", ZCRX_STEP_REGION, ENOMEM, look_no_hugepages,
	  "of the huge pages for a region of {region} ({alt}), so many are free: {have}",
	  "leave out --hugepages",
	  .command = "sysctl vm.nr_hugepages={want}",
	  .check = CHECK_MEMORY, .look = look_hugepages_short },
	{ "ZC022", "region-memory", ZCRX_STEP_REGION, ENOMEM, NULL,
	  "there is not that much memory",
	  "a smaller --region",
	  .check = CHECK_MEMORY, .look = look_memory_short },
	{ "ZC125", "no-receive-without-device", ZCRX_STEP_BUFFERS, ENOSYS, look_kernel,
	  "Linux {have} has no zero copy receive without a device, which came with 7.1",
	  "boot a newer kernel, or use --backend copy" },
	{ "ZC126", "no-net-admin-for-region", ZCRX_STEP_BUFFERS, EPERM, NULL,
	  "the kernel wants CAP_NET_ADMIN, of the host and not of a user namespace, without a device as well",
	  "run as root",
	  .command = "setcap cap_net_admin,cap_ipc_lock+ep $(command -v {prog})" },
	{ "ZC023", "pin-memory", ZCRX_STEP_BUFFERS, ENOMEM, NULL,
	  "not enough free memory to pin a region of {region}",
	  "a smaller --region" },
	{ "ZC024", "queue-memory", ZCRX_STEP_QUEUE, ENOMEM, NULL,
	  "no memory for the rings, or more than RLIMIT_MEMLOCK allows",
	  "smaller --rq and --cq, or ulimit -l unlimited" },
	{ "ZC026", "region-below-ring", ZCRX_STEP_QUEUE, ENOSPC, look_ring_of_nic,
	  "this NIC's ring alone takes {have}; a region of {region} leaves too little for data on its way",
	  "--region {want} or more, and so of --area",
	  .command = "ethtool -G {iface} rx {alt}",
	  .check = CHECK_RING, .look = look_region_below_ring },
	{ "ZC025", "queue-refused", ZCRX_STEP_QUEUE, 0, NULL,
	  "{iface} cannot be used so; the kernel's own words, if any, are below",
	  "zcrx-flow status {iface}" },

	{ "ZC030", "port-in-use", ZCRX_STEP_LISTEN, EADDRINUSE, NULL,
	  "another program listens on port {port}",
	  "end it (ss -ltnp 'sport = :{port}' names it), or take another port with -p" },
	{ "ZC031", "port-privileged", ZCRX_STEP_LISTEN, EACCES, NULL,
	  "ports below 1024 need CAP_NET_BIND_SERVICE",
	  "take another port with -p, or run as root" },
	{ "ZC032", "no-address-family", ZCRX_STEP_LISTEN, EAFNOSUPPORT, NULL,
	  "this kernel has IPv4 only, or IPv6 only",
	  "-4 or -6" },

	{ "ZC040", "not-plain-tcp", ZCRX_STEP_RECEIVE, EPROTONOSUPPORT, NULL,
	  "the connection is not plain TCP: kernel TLS, MPTCP or a BPF sockmap has it",
	  "take the layer off this port, or use --backend copy" },
	{ "ZC041", "peer-reset", ZCRX_STEP_RECEIVE, ECONNRESET, NULL,
	  "the peer broke the connection off; what came so far is not all", NULL },
	{ "ZC042", "other-region", ZCRX_STEP_RECEIVE, EFAULT, NULL,
	  "data arrived by a queue that another receiver, or another thread of this one, has bound",
	  "zcrx-flow status {iface}: the flow must be steered to queue {queue}" },
	{ "ZC043", "peer-silent", ZCRX_STEP_RECEIVE, ETIMEDOUT, NULL,
	  "the peer does not answer any more; what came so far is not all", NULL },
	{ "ZC044", "no-receive-operation", ZCRX_STEP_RECEIVE, EINVAL, look_kernel,
	  "Linux {have} refuses this receive; multishot receive came with 6.0",
	  "boot a newer kernel, or use --backend epoll" },
	{ "ZC045", "rings-disagree", ZCRX_STEP_RECEIVE, EPROTO, NULL,
	  "the completion ring does not hold what a completion announced: a kernel bug",
	  "report it, with the kernel's version and log" },

	{ "ZC050", "disk-full", ZCRX_STEP_SINK, ENOSPC, NULL,
	  "no space is left for {path}",
	  "df -h shows where there is" },
	{ "ZC051", "no-permission", ZCRX_STEP_SINK, EACCES, NULL,
	  "{path} may not be written by this user", "another path with -o" },
	{ "ZC052", "read-only", ZCRX_STEP_SINK, EROFS, NULL,
	  "{path} is on a file system that is mounted read-only", "another path with -o" },
	{ "ZC053", "no-directory", ZCRX_STEP_SINK, ENOENT, NULL,
	  "the directory of {path} does not exist", "mkdir -p \"$(dirname {path}.)\"" },
	{ "ZC054", "is-directory", ZCRX_STEP_SINK, EISDIR, NULL,
	  "{path} is a directory", "name a file with -o, or {path}/ to get a file a connection" },
	{ "ZC055", "file-too-large", ZCRX_STEP_SINK, EFBIG, NULL,
	  "{path} grew beyond what its file system or ulimit -f allows", "ulimit -f unlimited" },

	{ "ZC056", "being-written", ZCRX_STEP_SINK, EWOULDBLOCK, NULL,
	  "another program is writing {path}", "wait for it to end, or another path with -o" },
	{ "ZC058", "not-directory", ZCRX_STEP_SINK, ENOTDIR, NULL,
	  "{path}, or something on the way there, is not a directory", "name a directory" },
	{ "ZC059", "file-exists", ZCRX_STEP_SINK, EEXIST, NULL,
	  "a file of that name is in {path} already", "another directory" },
	{ "ZC133", "part-is-link", ZCRX_STEP_SINK, ELOOP, NULL,
	  "{path}.part is a symbolic link, which is not followed, or {path} is one that leads in a circle",
	  "remove the link, or another path with -o" },
	{ "ZC092", "quota", ZCRX_STEP_SINK, EDQUOT, NULL,
	  "the quota of this user leaves no space for {path}", "quota -s shows it" },

	{ "ZC060", "refused", ZCRX_STEP_CONNECT, ECONNREFUSED, NULL,
	  "{peer} answers, but nobody listens on port {port}",
	  "start the receiver first: zcrx-recv -p {port} ..." },
	{ "ZC061", "no-route", ZCRX_STEP_CONNECT, ENETUNREACH, NULL,
	  "there is no route to {peer}", "ip route get {peer}" },
	{ "ZC062", "no-host", ZCRX_STEP_CONNECT, EHOSTUNREACH, NULL,
	  "{peer} does not answer", "ping {peer}" },
	{ "ZC063", "no-answer", ZCRX_STEP_CONNECT, ETIMEDOUT, NULL,
	  "{peer} does not answer on port {port}; a packet filter, perhaps", "ping {peer}" },
	{ "ZC094", "unknown-host", ZCRX_STEP_CONNECT, -1, NULL,
	  "no address is known for {peer}: {have}",
	  "getent ahosts {peer} asks for the same; -4 and -6 leave only some of them" },
	{ "ZC095", "source-unreadable", ZCRX_STEP_SEND, -1, NULL,
	  "{path} cannot be read: {have}", NULL },
	{ "ZC096", "no-sendfile", ZCRX_STEP_SEND, -1, NULL,
	  "{path} is no regular file that has data: --sendfile sends nothing else",
	  "leave out --sendfile" },
	{ "ZC097", "too-many-streams", ZCRX_STEP_SEND, -1, NULL,
	  "of {want} threads, one a stream, only {have} could be started",
	  "a smaller -P; ulimit -u and ulimit -s limit them" },
	{ "ZC134", "not-sent-whole", ZCRX_STEP_SEND, -1, NULL,
	  "{have} of {want}: not all is sent and acknowledged, so the receiver gets a reset", NULL },
	{ "ZC064", "receiver-reset", ZCRX_STEP_SEND, ECONNRESET, NULL,
	  "the receiver broke the connection off; not everything has arrived", NULL },
	{ "ZC065", "receiver-closed", ZCRX_STEP_SEND, EPIPE, NULL,
	  "the receiver closed the connection; not everything has arrived", NULL },

	/* of the flow's way to the queue, found by looking */
	{ "ZC104", "no-link", ZCRX_STEP_QUEUE, -1, NULL,
	  "{iface} has no link, so that nothing will come",
	  "look at the cable, and at the other end",
	  .check = CHECK_LINK, .look = look_no_link, .advice = true },
	{ "ZC105", "no-ntuple", ZCRX_STEP_QUEUE, -1, NULL,
	  "{iface} has no ntuple filters, which steer a flow to a queue",
	  "another NIC, or a newer firmware",
	  .check = CHECK_NTUPLE, .look = look_no_ntuple },
	{ "ZC106", "ntuple-off", ZCRX_STEP_QUEUE, -1, NULL,
	  "ntuple filters of {iface}, which steer a flow to a queue, are off",
	  "zcrx-flow up {iface} --queue {queues} --port {port}",
	  .command = "ethtool -K {iface} ntuple on",
	  .check = CHECK_NTUPLE, .look = look_ntuple_off },
	{ "ZC107", "steered-elsewhere", ZCRX_STEP_QUEUE, -1, NULL,
	  "rule {want} of {iface} leads port {port} to {have}, and not to queue {queue}",
	  "-q with the queue of the rule; zcrx-flow down {iface} if the rule is its",
	  .command = "ethtool -N {iface} delete {want}",
	  .check = CHECK_STEERING, .look = look_steered_elsewhere },
	{ "ZC108", "not-steered", ZCRX_STEP_QUEUE, -1, NULL,
	  "no rule of {iface} leads port {port} to queue {queue}: what comes will be copied", NULL,
	  .command = "zcrx-flow up {iface} --queue {queues} --port {port}",
	  .check = CHECK_STEERING, .look = look_not_steered },
	{ "ZC109", "rss-has-queue", ZCRX_STEP_QUEUE, -1, NULL,
	  "other traffic comes to queue {queue} of {iface} too: it has {have} slots of the RSS table",
	  "zcrx-flow up {iface} --queue {queues} --port {port}",
	  .command = "ethtool -X {iface} {want}",
	  .check = CHECK_RSS, .look = look_rss },
	/* counted by the kernel, when sending without a copy */
	{ "ZC066", "send-copied-loopback", ZCRX_STEP_SEND, -1, NULL,
	  "{have} were copied all the same: {peer} is this host, and what goes over lo is always copied",
	  "nothing to mend; without --zerocopy it is quicker here" },
	{ "ZC067", "send-copied-tap", ZCRX_STEP_SEND, -1, NULL,
	  "{have} were copied all the same: {want} gets a copy of every packet that is sent",
	  "end it, or bind it to another interface; /proc/net/packet lists all such (Proto 0003)" },
	{ "ZC068", "send-copied-feature", ZCRX_STEP_SEND, -1, NULL,
	  "{have} were copied all the same: {want} cannot send from several pieces of memory",
	  "ethtool -K {want} sg on tx on" },
	{ "ZC069", "send-copied-virtual", ZCRX_STEP_SEND, -1, NULL,
	  "{have} were copied all the same: {want} is a virtual interface, whose packets end on this host "
	  "or are copied on their way out",
	  "nothing to mend here; a NIC of its own takes them without a copy" },
	{ "ZC078", "send-copied", ZCRX_STEP_SEND, -1, NULL,
	  "{have} were copied all the same, for a reason that is not known ({want})",
	  "tc filters, nftables rules and tunnels on the way out may copy" },
	{ "ZC079", "send-refused", ZCRX_STEP_SEND, -1, NULL,
	  "{have} had to be copied, as no more memory may be pinned or no more notifications kept",
	  "ulimit -l unlimited; sysctl net.core.optmem_max=1048576" },
	{ "ZC070", "no-hello", ZCRX_STEP_HELLO, EBADMSG, NULL,
	  "{peer} does not begin with a greeting: it is another program, or runs without --hello",
	  "--hello for both zcrx-recv and zcrx-send, or for neither" },
	{ "ZC071", "hello-version", ZCRX_STEP_HELLO, EPROTONOSUPPORT, NULL,
	  "{peer} greets in version {have}, this program in version {want}",
	  "zcrx-recv and zcrx-send of the same release, or both without --hello" },
	{ "ZC072", "hello-silent", ZCRX_STEP_HELLO, ETIMEDOUT, NULL,
	  "{peer} said nothing for {want} s, or not all of its greeting ({have} bytes)",
	  "--hello for both zcrx-recv and zcrx-send, or for neither; --hello=SECONDS waits longer" },
	{ "ZC073", "hello-short", ZCRX_STEP_HELLO, ENODATA, NULL,
	  "{peer} ended the connection after {have} of the {want} bytes of a greeting",
	  "--hello for both zcrx-recv and zcrx-send, or for neither" },
	{ "ZC074", "hello-wrong", ZCRX_STEP_HELLO, EPROTO, NULL,
	  "what {peer} sends is refused: {have}",
	  "zcrx-recv and zcrx-send of the same release, or both without --hello" },
	{ "ZC075", "hello-refused", ZCRX_STEP_HELLO, ECONNREFUSED, NULL,
	  "{peer} refuses: {have}",
	  "its own message says more" },
	{ "ZC098", "hello-streams", ZCRX_STEP_HELLO, EUSERS, NULL,
	  "{peer} takes {have} at once, and not {want}: one file is written connection after connection",
	  "zcrx-recv -o DIR/ (a file a connection), or a larger --connections; -P with so many; or no --hello" },
	{ "ZC076", "hello-reset", ZCRX_STEP_HELLO, ECONNRESET, NULL,
	  "{peer} broke the connection off within the greeting",
	  "--hello for both zcrx-recv and zcrx-send, or for neither" },
	{ "ZC077", "hello-wanted", ZCRX_STEP_SEND, EPROTO, NULL,
	  "the receiver wants a greeting first, and took nothing of what was sent",
	  "zcrx-send --hello, or the receiver without --hello" },

	/* found by looking at counters, not by an error */
	{ "ZC093", "reader-gone", ZCRX_STEP_SINK, -1, NULL,
	  "the reader of standard output has closed it; this is the end", NULL },
	{ "ZC057", "incomplete", ZCRX_STEP_SINK, -1, NULL,
	  "{path} is not complete: {have}",
	  "have it sent again; what has come stays there" },
	{ "ZC080", "copied-linear", ZCRX_STEP_RECEIVE, -1, NULL,
	  "{have} of the data came in the linear part of packets and was copied: header and payload are not split",
	  "zcrx-flow status {iface}; payloads shorter than the split threshold stay linear" },
	{ "ZC081", "copied-foreign", ZCRX_STEP_RECEIVE, -1, NULL,
	  "{have} of the data came in pages that are not the region's and was copied: the flow does not arrive on queue {queue}",
	  "zcrx-flow up {iface} --queue {queues} --port {port}" },
	{ "ZC127", "flow-elsewhere", ZCRX_STEP_RECEIVE, -1, NULL,
	  "the flow of {peer} comes by another queue of {iface} than {want}, or by another NIC: what it brings is copied",
	  "zcrx-flow up {iface} --queue {queues} --port {port}; or a rule of your own, by ethtool -N {iface}" },
	{ "ZC128", "flow-unknown", ZCRX_STEP_RECEIVE, -1, NULL,
	  "kernel or driver do not tell by which queue the flow of {peer} comes: what another receiver's queue brings is copied",
	  "a kernel with CONFIG_NET_RX_BUSY_POLL and Linux 6.8 or later, or one receiver a queue, each with a port" },
	{ "ZC090", "copied-spare", ZCRX_STEP_RECEIVE, -1, NULL,
	  "{have} of the data came in pages of the kernel and was copied: the region had no free page",
	  "a larger --region, or a smaller --rcvbuf, which is what can wait in sockets" },
	{ "ZC082", "completion-ring-full", ZCRX_STEP_RECEIVE, -1, NULL,
	  "receiving stopped {have} times since a ring was full or no buffer was free",
	  "a larger --cq, or a larger --region" },
	{ "ZC083", "region-exhausted", ZCRX_STEP_RECEIVE, -1, NULL,
	  "the NIC found no free page in the region {have} times; what it then receives is copied",
	  "a larger --region; it must exceed the NIC's ring (ethtool -g {iface}) times the page" },
	{ "ZC088", "region-exhausted-dropped", ZCRX_STEP_RECEIVE, -1, NULL,
	  "the NIC found no free page in the region, {have} times at least; what then came was lost and sent again",
	  "a larger --region; it must exceed the NIC's ring (ethtool -g {iface}) times the page" },
	{ "ZC089", "copies-not-counted", ZCRX_STEP_RECEIVE, -1, NULL,
	  "Linux {have} does not tell how much of the data it copied; more than what is told here may have been",
	  "a newer kernel (7.2 counts), or that of this series" },
	{ "ZC084", "counters-disagree", ZCRX_STEP_RECEIVE, -1, NULL,
	  "completions and the kernel's counters disagree on the bytes received without a copy: {have} and {want}",
	  "report it, with the kernel's version and log" },
	{ "ZC091", "no-busy-poll", ZCRX_STEP_RECEIVE, -1, NULL,
	  "this kernel does not busy-poll as asked: that takes Linux 6.9 with CONFIG_NET_RX_BUSY_POLL",
	  "a newer kernel, or leave out --busy-poll" },
	{ "ZC130", "receive-buffer-cut", ZCRX_STEP_RECEIVE, -1, NULL,
	  "the receive buffer is {have} bytes, not {want}: more takes CAP_NET_ADMIN, or a higher limit", NULL,
	  .command = "sysctl net.core.rmem_max={want}" },
	{ "ZC131", "window-cuts-pages", ZCRX_STEP_RECEIVE, -1, NULL,
	  "{have} of the data came in parts of pages: a sender that waits for room may cut pages, as the window of this connection moves by less than one", NULL,
	  .command = "sysctl net.core.rmem_max={want}" },
	{ "ZC129", "no-buffer-length", ZCRX_STEP_RECEIVE, -1, NULL,
	  "buffers of {want} are refused ({have}), so the NIC fills pages: that takes --backend upstream of Linux 7.0, a driver that has it, and memory in pieces so long",
	  "--hugepages, or leave out --rx-buf-len" },
	{ "ZC085", "bad-give-back", ZCRX_STEP_RECEIVE, -1, NULL,
	  "the kernel rejected {have} buffers that were given back",
	  "report it, with the kernel's version and log" },
	{ "ZC086", "no-timestamps", ZCRX_STEP_RECEIVE, -1, NULL,
	  "{peer} does not use TCP timestamps, so its segments are 12 bytes longer than a page",
	  "sysctl net.ipv4.tcp_timestamps=1 there, or --mss {want} here" },
	{ "ZC087", "mtu-below-page", ZCRX_STEP_RECEIVE, -1, NULL,
	  "an MTU of {have} has no room for a page of payload",
	  "ip link set {iface} mtu {want}, on both sides" },
};

/* Of the lines below the first */
#define LABEL		10

#define TABLE_LEN	(sizeof(table) / sizeof(table[0]))

static const struct diag unknown = {
	"ZC099", "other", 0, 0, NULL, "no further cause is known", NULL
};

/* What could not be done, one phrase a step */
static const char *const steps[] = {
	[ZCRX_STEP_RING] = "cannot make an io_uring",
	[ZCRX_STEP_REGION] = "cannot get a region of {region}",
	[ZCRX_STEP_BUFFERS] = "cannot register the region of {region}",
	[ZCRX_STEP_QUEUE] = "cannot bind {iface} queue {queue}",
	[ZCRX_STEP_MAP] = "cannot map the rings of {iface} queue {queue}",
	[ZCRX_STEP_LISTEN] = "cannot listen on port {port}",
	[ZCRX_STEP_RECEIVE] = "cannot receive from {peer}",
	[ZCRX_STEP_SINK] = "cannot write {path}",
	[ZCRX_STEP_CONNECT] = "cannot connect to {peer} port {port}",
	[ZCRX_STEP_SEND] = "cannot send to {peer} port {port}",
	[ZCRX_STEP_HELLO] = "cannot agree with {peer} on a geometry",
};

/**
 * diag_at() - walk the table
 * @i: 0, 1, ...
 *
 * Return: the line, NULL beyond the last.
 */
const struct diag *diag_at(unsigned int i)
{
	return i < TABLE_LEN ? &table[i] : NULL;
}

static void region_words(const struct diag_env *env, char *buf, size_t size)
{
	uint64_t bytes = env->cfg ? env->cfg->region_size : 0;
	bool whole = !(bytes % (1 << 20));
	size_t used;

	used = (size_t)snprintf(buf, size, "%" PRIu64 " %s", bytes >> (whole ? 20 : 10),
				whole ? "MiB" : "KiB");
	if (env->cfg && zcrx_first_area(env->cfg) < bytes && used < size)
		used += (size_t)snprintf(buf + used, size - used, " in areas of %" PRIu64 " KiB",
					 zcrx_first_area(env->cfg) >> 10);
	if (env->queues && env->queues->n > 1 && used < size)
		snprintf(buf + used, size - used, " for each of %" PRIu32 " queues", env->queues->n);
}

/* Value of the placeholder {name}; NULL or empty when there is none */
static const char *value_of(const struct diag_env *env, const char *name, size_t len, char *buf,
			    size_t size)
{
	const struct {
		const char *name;
		const char *text;
	} texts[] = {
		{ "prog", env->prog },
		{ "iface", env->cfg ? env->cfg->iface : NULL },
		{ "path", env->path },
		{ "peer", env->peer },
		{ "have", env->have },
		{ "want", env->want },
		{ "alt", env->alt },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strlen(texts[i].name) == len && !memcmp(texts[i].name, name, len))
			return texts[i].text;
	if (len == strlen("queues") && !strncmp(name, "queues", len) && env->queues)
		queues_text(env->queues, buf, size);
	else if (!strncmp(name, "queue", strlen("queue")))
		snprintf(buf, size, "%u", env->cfg ? env->cfg->queue : 0);
	else if (!strncmp(name, "port", len))
		snprintf(buf, size, env->port ? "%u" : "PORT", env->port);
	else
		region_words(env, buf, size);
	return buf;
}

/* Whether all placeholders had a value; those that have none become "?" */
static bool expand(const struct diag_env *env, const char *text, char *out, size_t size)
{
	bool complete = true;
	size_t used = 0;

	while (text && *text && used + 1 < size) {
		size_t name = *text == '{' ? strcspn(text, "}") : 0;
		const char *value;
		char buf[QUEUES_TEXT];

		if (!name || !text[name]) {
			out[used++] = *text++;
			continue;
		}
		value = value_of(env, text + 1, name - 1, buf, sizeof(buf));
		complete &= value && *value && (env->port || strncmp(text, "{port", 5));
		used += (size_t)snprintf(out + used, size - used, "%s",
					 value && *value ? value : "?");
		if (used >= size)
			used = size - 1;
		text += name + 1;
	}
	out[used] = '\0';
	return complete;
}

/* A command with something missing is no command, but perhaps tells enough */
static void fill_fix(const struct diag_env *env, const struct diag *d, struct diag_text *out)
{
	bool complete = expand(env, d->command, out->command, sizeof(out->command));
	char words[384];

	expand(env, d->fix, words, sizeof(words));
	if (!complete && words[0])
		out->command[0] = '\0';
	snprintf(out->fix, sizeof(out->fix), "%s%s%s", out->command,
		 out->command[0] && words[0] ? ", or: " : "", words);
	if (!complete)
		out->command[0] = '\0';
}

static void fill(const struct diag_env *env, const struct diag *d, struct diag_text *out)
{
	out->code = d->code;
	out->name = d->name;
	out->advice = d->advice;
	out->what[0] = '\0';
	out->reason = "";
	expand(env, d->cause, out->cause, sizeof(out->cause));
	fill_fix(env, d, out);
}

static bool applies(const struct diag *d, struct diag_env *env)
{
	if (d->step != env->why->step || (d->err && d->err != env->why->err))
		return false;
	if (d->says && !strstr(env->why->reason, d->says))
		return false;
	return !d->probe || d->probe(env);
}

/**
 * diag_explain() - find out why something was refused
 * @env: what was refused, and under which circumstances; probes fill in values
 * @out: the diagnosis in words
 */
void diag_explain(struct diag_env *env, struct diag_text *out)
{
	const struct diag *d = &unknown;
	const char *name;
	size_t used;

	for (size_t i = 0; i < TABLE_LEN; i++) {
		if (applies(&table[i], env)) {
			d = &table[i];
			break;
		}
	}
	fill(env, d, out);
	expand(env, steps[env->why->step], out->what, sizeof(out->what));
	used = strlen(out->what);
	name = strerrorname_np(env->why->err);
	snprintf(out->what + used, sizeof(out->what) - used, ": %s (%s)",
		 strerror(env->why->err), name ? name : "?");
	out->reason = env->why->reason;
}

/**
 * diag_advice() - a diagnostic that no error led to
 * @env: values for the text, @have and @want included
 * @name: its stable name
 * @out: the text
 */
void diag_advice(struct diag_env *env, const char *name, struct diag_text *out)
{
	const struct diag *d = &unknown;

	for (size_t i = 0; i < TABLE_LEN; i++)
		if (!strcmp(table[i].name, name))
			d = &table[i];
	fill(env, d, out);
}

/**
 * diag_look() - find out whether something is the matter, without an error
 * @env: circumstances; probes fill in values
 * @check: what to look at
 * @out: the diagnosis
 *
 * Return: whether something is.
 */
bool diag_look(struct diag_env *env, enum check_id check, struct diag_text *out)
{
	for (size_t i = 0; i < TABLE_LEN; i++) {
		const struct diag *d = &table[i];

		if (!d->look || d->check != check || !d->look(env))
			continue;
		fill(env, d, out);
		return true;
	}
	return false;
}

/* A line that begins with a label; a command at its beginning stays whole */
static void print_line(FILE *out, unsigned int width, const char *label, const char *text,
		       size_t whole)
{
	fputs(label, out);
	wrap_text(out, (unsigned int)strlen(label), LABEL, width, text, whole);
}

/**
 * diag_print() - print a diagnostic for people
 * @env: as for diag_explain()
 * @text: the diagnostic
 * @out: where to
 * @width: that lines are broken at, 0: nowhere
 */
void diag_print(const struct diag_env *env, const struct diag_text *text, FILE *out,
		unsigned int width)
{
	const char *first = text->what[0] ? text->what : text->cause;
	char head[64];

	snprintf(head, sizeof(head), "%s: %s ", env->prog, text->code);
	print_line(out, width, head, first, 0);
	if (text->what[0])
		print_line(out, width, "  cause:  ", text->cause, 0);
	if (text->fix[0])
		print_line(out, width, "  fix:    ", text->fix, strlen(text->command));
	if (text->reason[0])
		print_line(out, width, "  kernel: ", text->reason, 0);
}
