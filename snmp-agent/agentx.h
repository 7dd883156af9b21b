/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The session with snmpd: AgentX (RFC 2741) by net-snmp's library, which is
 * included in agentx.c only.  It blocks for seconds where snmpd hangs, so
 * nothing else may live in its process.  Sets are refused by snmpd, because
 * all is registered read-only.
 */
#ifndef AGENTX_H
#define AGENTX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define AGENTX_OID_MAX 128 /* numbers in an OID, RFC 2578 section 3.5 */

/* address in net-snmp's form. The connection is made as soon as snmpd is
 * there, and again whenever it comes back, within about a second. */
int agentx_start(const char *address, struct err *e);
/* Answers what comes, for about a second at most while snmpd is well. */
void agentx_turn(void);
void agentx_stop(void);

/*
 * One string at a full OID, made when it is asked for: false where there is
 * none now.  A more exact registration wins over snmpd's own table, and
 * leaves the rest of that as it is.
 */
typedef bool agentx_text_fn(int arg, char *dst, size_t size);
int agentx_add_text(const char *name, const uint32_t *oid, size_t len,
		    agentx_text_fn *fn, int arg, struct err *e);

/*
 * All of a tree below base.  get and next are asked for OIDs behind the
 * base, and say false where there is none; what they give is borrowed.
 */
enum agentx_type { AGENTX_INTEGER, AGENTX_GAUGE, AGENTX_COUNTER, AGENTX_TEXT };
struct agentx_value {
	const uint32_t *oid; /* behind the base */
	size_t len;
	enum agentx_type type;
	uint64_t number;
	const char *text;
};
struct agentx_tree {
	bool (*get)(const uint32_t *oid, size_t len, struct agentx_value *v);
	bool (*next)(const uint32_t *oid, size_t len, bool is_inclusive,
		     struct agentx_value *v);
};
/* tree is borrowed until agentx_stop(). */
int agentx_add_tree(const char *name, const uint32_t *base, size_t len,
		    const struct agentx_tree *tree, struct err *e);

/*
 * An SNMPv2 trap by way of snmpd, whose OID and variables are below base;
 * lost when snmpd is not there.
 */
void agentx_notify(const uint32_t *base, size_t base_len, const uint32_t *oid,
		   size_t len, const struct agentx_value *vars, size_t count);

#endif
