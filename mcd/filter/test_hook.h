/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lets tests make a worker misbehave at a chosen message: with
 * MCGATE_TEST_WORKER=WHAT:TEXT in the environment a message that holds
 * TEXT makes its worker crash (abort), spin (compute for ever) or hang
 * (wait for ever).  Only in builds with --enable-devel.
 */
#ifndef TEST_HOOK_H
#define TEST_HOOK_H

#include "buf.h"
#include "config.h"

#ifdef MCGATE_DEVEL
/* Reads the environment; before the jail. */
void test_hook_init(void);
/* A message begins; its blocks in order. */
void test_hook_start(void);
void test_hook_feed(struct span block);
/* Signatures are about to be loaded: waits while there is a file of the name
 * that MCGATE_TEST_LOAD has. */
void test_hook_load(void);
#else
static inline void
test_hook_init(void)
{
}

static inline void
test_hook_load(void)
{
}

static inline void
test_hook_start(void)
{
}

static inline void
test_hook_feed(struct span block)
{
	(void)block;
}
#endif

#endif
