# SPDX-License-Identifier: GPL-2.0-or-later
# The emulator's core: its sources without transport, back ends and main
lib := $(addprefix bnxt-emu/,nic.c fw.c phy.c hwrm.c hwrm_func.c hwrm_nvm.c hwrm_port.c hwrm_ring.c hwrm_vnic.c \
	hwrm_cfa.c ring.c rx.c tx.c gso.c tpa.c coal.c steer.c stats.c parse.c csum.c toeplitz.c dma.c describe.c hwrm_trace.c)
