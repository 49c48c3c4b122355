// SPDX-License-Identifier: GPL-2.0-or-later
#include "explain.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "greet.h"

/* Blocks of disks, and so what O_DIRECT wants lengths to be multiples of */
static const uint32_t blocks[] = { 512, 4096 };

#define BLOCKS	(sizeof(blocks) / sizeof(blocks[0]))

/**
 * struct finding - what there is to explain
 * @reach: how the receiver was reached
 * @iface: interface that has our address, empty if that is not known
 * @path: the path as far as this side knows it
 * @want: what the receiver can make use of
 * @offer: what the receiver offers, all 0 when it was not asked
 * @mss: MSS of the connection, TCP options not taken off
 * @plan: what becomes of it
 */
struct finding {
	struct reach reach;
	char iface[IF_NAMESIZE];
	struct geometry_path path;
	struct geometry_want want;
	struct hello offer;
	uint32_t mss;
	struct geometry_plan plan;
};

/*
 * Connects without a limit of our own: the MSS is then what the receiver wants,
 * or less if this side's MTU has no room for it.
 */
static int find_out(const struct send_options *opt, struct report *report, struct finding *f)
{
	int fd = connect_receiver(opt, report, 0, &f->reach);
	struct tcp_info info;
	int err;

	if (fd < 0)
		return fd;
	if (net_own_iface(fd, f->iface))
		f->iface[0] = '\0';
	f->path = (struct geometry_path){
		.mtu = (uint32_t)f->reach.mtu,
		.ipv6 = f->reach.family == AF_INET6,
		.timestamps = !net_tcp_info(fd, &info) && info.tcpi_options & TCPI_OPT_TIMESTAMPS,
	};
	f->mss = net_send_mss(fd);
	if (f->mss && f->path.timestamps)
		f->mss += GEOMETRY_TIMESTAMPS;
	err = opt->hello_ns ? greet(opt, report, fd, true, &f->offer) : 0;
	if (f->offer.page && !err)
		f->want = (struct geometry_want){
			.page = f->offer.page,
			.quantum = f->offer.quantum,
			.record = f->offer.record,
		};
	/*
	 * A receiver that greets knows that nothing follows. To any other an end in order would
	 * be that of an empty stream, which it might keep.
	 */
	if (opt->hello_ns)
		reset_on_close(fd, false);
	close(fd);
	geometry_plan(&f->path, &f->want, f->mss, &f->plan);
	return err;
}

static void say_offer(const struct finding *f, struct report *report)
{
	char region[REPORT_SIZE], text[128];

	if (!f->offer.page)
		return;
	snprintf(text, sizeof(text), "offers pages of %u, records of %u, aligned to %u; region %s",
		 f->offer.page, f->offer.record, f->offer.quantum,
		 report_size(f->offer.region, region));
	report_list(report, "receiver", text);
}

static void say_page(const struct finding *f, FILE *out)
{
	if (!f->plan.page_mtu)
		fprintf(out, "  pages     %u bytes: no segment can be so long, blocks of %u have to do\n",
			f->want.page, f->want.quantum);
	else
		fprintf(out, "  pages     %u bytes: take an MSS of %u and an MTU of %u, on both sides\n",
			f->want.page, f->plan.page_mss, f->plan.page_mtu);
	if (f->plan.page_mtu > GEOMETRY_JUMBO)
		fprintf(out, "            (Ethernet NICs seldom go beyond %u)\n", GEOMETRY_JUMBO);
}

static void say_segments(const struct finding *f, FILE *out)
{
	const struct geometry_plan *p = &f->plan;

	fprintf(out, "  segments  %u bytes: ", p->payload);
	if (p->unit == f->want.page)
		fprintf(out, "%u page%s each\n", p->payload / p->unit,
			p->payload == p->unit ? "" : "s");
	else if (p->unit)
		fprintf(out, "%u blocks of %u each, no whole pages\n", p->payload / p->unit, p->unit);
	else
		fprintf(out, "neither whole pages nor blocks, so nothing stays aligned\n");
	fprintf(out, "  records   %u bytes: %u page%s in %" PRIu64 " segment%s\n", f->want.record,
		f->want.record / f->want.page, f->want.record == f->want.page ? "" : "s", p->segments,
		p->segments == 1 ? "" : "s");
}

static void say_disk(const struct finding *f, FILE *out)
{
	unsigned int n = 0;

	fprintf(out, "  O_DIRECT  ");
	for (size_t i = 0; i < BLOCKS; i++)
		if (geometry_suits_disk(f->plan.payload, f->want.record, blocks[i]))
			fprintf(out, "%s%u", n++ ? " or " : "writes from where data arrives, to blocks of ",
				blocks[i]);
	fprintf(out, "%s\n", n ? " bytes" : "has to copy first: disks want blocks of 512 or 4096 bytes");
}

/* The commands that lead to segments of pages, if anything does */
static void say_to_do(const struct finding *f, FILE *out)
{
	const struct geometry_plan *p = &f->plan;
	const char *head = "to do   ";

	if (p->unit == f->want.page) {
		fprintf(out, "  to do     nothing\n");
		return;
	}
	if (!p->page_mtu || p->page_mtu > GEOMETRY_JUMBO) {
		if (!p->unit)
			fprintf(out, "  to do     receiver: zcrx-recv --page-mss, for blocks\n");
		return;
	}
	if (f->path.mtu < p->page_mtu) {
		fprintf(out, "  %s  here: ip link set dev %s mtu %u\n", head,
			f->iface[0] ? f->iface : "IFACE", p->page_mtu);
		head = "        ";
	}
	if (f->mss < p->page_mss)
		fprintf(out, "  %s  receiver: an MTU of %u; then zcrx-recv --page-mss\n", head,
			p->page_mtu);
}

static void say(const struct finding *f, struct report *report)
{
	FILE *out = report->talk;

	report_say(report, "%s%s%s; nothing is sent", f->reach.name, f->iface[0] ? " from " : "",
		   f->iface);
	fprintf(out, "  TCP       over IPv%u, timestamps %s\n", f->path.ipv6 ? 6 : 4,
		f->path.timestamps ? "on" : "off");
	say_offer(f, report);
	say_page(f, out);
	fprintf(out, "  path      MTU %u here: room for %u bytes a segment\n", f->path.mtu,
		f->plan.room);
	fprintf(out, "  MSS       %u seen%s\n", f->mss,
		f->mss + geometry_overhead(f->path.ipv6, false) < f->path.mtu ?
			", less than this MTU allows" : "");
	say_segments(f, out);
	say_disk(f, out);
	say_to_do(f, out);
}

static void say_json(const struct finding *f, struct report *report)
{
	const struct geometry_plan *p = &f->plan;
	struct json *j = &report->json;
	uint64_t direct[BLOCKS];
	unsigned int n = 0;

	if (!report_event(report, "explain"))
		return;
	for (size_t i = 0; i < BLOCKS; i++)
		if (geometry_suits_disk(p->payload, f->want.record, blocks[i]))
			direct[n++] = blocks[i];
	json_u64(j, "schema", REPORT_SCHEMA);
	json_str(j, "peer", f->reach.name);
	json_str(j, "interface", f->iface[0] ? f->iface : NULL);
	json_bool(j, "ipv6", f->path.ipv6);
	json_bool(j, "timestamps", f->path.timestamps);
	json_u64(j, "mtu", f->path.mtu);
	json_u64(j, "mss", f->mss);
	json_u64(j, "room_bytes", p->room);
	json_bool(j, "hello", f->offer.page);
	if (f->offer.page) {
		json_u64(j, "quantum_bytes", f->offer.quantum);
		json_u64(j, "region_bytes", f->offer.region);
	}
	json_u64(j, "page_bytes", f->want.page);
	json_u64(j, "page_mss", p->page_mss);
	json_u64(j, "page_mtu", p->page_mtu);
	json_u64(j, "payload_bytes", p->payload);
	json_u64(j, "aligned_bytes", p->unit);
	json_u64(j, "record_bytes", f->want.record);
	json_u64(j, "record_segments", p->segments);
	json_u64s(j, "direct_blocks", direct, n);
	report_event_end(report);
}

/**
 * explain_run() - connect, and say how a stream would be cut
 * @opt: what the user asked for
 * @report: where to say it
 *
 * Return: exit status of the program.
 */
enum send_exit explain_run(const struct send_options *opt, struct report *report)
{
	struct finding f = {
		.want = {
			.page = opt->page,
			.quantum = GEOMETRY_SECTOR,
			.record = opt->page * opt->record_pages,
		},
	};

	if (find_out(opt, report, &f))
		return SEND_NOT_READY;
	say(&f, report);
	say_json(&f, report);
	return SEND_OK;
}
