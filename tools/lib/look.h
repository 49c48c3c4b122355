/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the table of diagnostics and the checks look at. A look_at function says whether
 * something is the matter, and fills in @have, @want and @alt of the circumstances; where
 * that cannot be found out, nothing is said to be the matter. A tell function says how
 * things stand when nothing is.
 */
#ifndef LOOK_H
#define LOOK_H

#include <stdbool.h>

#include "diag.h"

/* What has to be there in words, in @have; false when it cannot be found out */
typedef bool (*tell_fn)(struct diag_env *env);

bool look_io_uring_disabled(struct diag_env *env);
bool look_kernel(struct diag_env *env);
bool look_no_net_admin(struct diag_env *env);
bool look_user_namespace(struct diag_env *env);
bool look_foreign_namespace(struct diag_env *env);
bool look_memlock(struct diag_env *env);
bool look_no_hugepages(struct diag_env *env);
bool look_hugepages_short(struct diag_env *env);
bool look_memory_short(struct diag_env *env);

bool look_no_interface(struct diag_env *env);
bool look_down(struct diag_env *env);
bool look_no_link(struct diag_env *env);
bool look_virtual(struct diag_env *env);
bool look_driver(struct diag_env *env);
bool look_queue_range(struct diag_env *env);
bool look_region_below_ring(struct diag_env *env);
bool look_ring_of_nic(struct diag_env *env);
bool look_split(struct diag_env *env);
bool look_split_off(struct diag_env *env);

bool look_queue_bound(struct diag_env *env);
bool look_queue_owner(struct diag_env *env);
bool look_queue_dmabuf(struct diag_env *env);
bool look_xdp(struct diag_env *env);
bool look_xsk(struct diag_env *env);
bool look_xsk_somewhere(struct diag_env *env);

bool look_no_ntuple(struct diag_env *env);
bool look_ntuple_off(struct diag_env *env);
bool look_steered_elsewhere(struct diag_env *env);
bool look_not_steered(struct diag_env *env);
bool look_rss(struct diag_env *env);

bool tell_capability(struct diag_env *env);
bool tell_memlock(struct diag_env *env);
bool tell_memory(struct diag_env *env);
bool tell_interface(struct diag_env *env);
bool tell_link(struct diag_env *env);
bool tell_driver(struct diag_env *env);
bool tell_queue(struct diag_env *env);
bool tell_owner(struct diag_env *env);
bool tell_xdp(struct diag_env *env);
bool tell_xsk(struct diag_env *env);
bool tell_split(struct diag_env *env);
bool tell_ring(struct diag_env *env);
bool tell_ntuple(struct diag_env *env);
bool tell_steering(struct diag_env *env);
bool tell_rss(struct diag_env *env);

#endif
