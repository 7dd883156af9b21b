/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * net-snmp's agent library as a subagent.  It reads no configuration and
 * keeps no state of its own: neither files nor MIBs are looked for.
 */
#include "agentx.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>

#include <net-snmp/agent/agent_callbacks.h>

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "str.h"
#include "xalloc.h"

#define NAME "mc-snmp-agent"
#define TEXT_MAX 256
#define PING_S 1 /* also how often a lost snmpd is looked for */

struct text {
	agentx_text_fn *fn;
	int arg;
};

static int
on_log(int major, int minor, void *server_arg, void *client_arg)
{
	const struct snmp_log_message *m = server_arg;
	char text[LOG_LINE_MAX];
	size_t len = strlen(m->msg);

	(void)major;
	(void)minor;
	(void)client_arg;
	while (len > 0 && m->msg[len - 1] == '\n')
		len--;
	str_printable(text, sizeof(text), m->msg, len);
	if (m->priority <= LOG_ERR)
		log_warn("net-snmp: %s", text);
	else
		log_debug("net-snmp: %s", text);
	return 0;
}

static int
on_session(int major, int minor, void *server_arg, void *client_arg)
{
	(void)major;
	(void)server_arg;
	(void)client_arg;
	if (minor == SNMPD_CALLBACK_INDEX_START)
		log_info("connected to snmpd");
	else if (minor == SNMPD_CALLBACK_INDEX_STOP)
		log_warn("the connection to snmpd is gone; it is tried again");
	return 0;
}

static void
set_library(const char *address)
{
	snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING,
			       on_log, NULL);
	snmp_enable_calllog();
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID,
			       NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID,
			       NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	setenv("MIBS", "", 1);
	setenv("MIBDIRS", "", 1);
	netsnmp_enable_subagent();
	netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID,
			      NETSNMP_DS_AGENT_X_SOCKET, address);
	snmp_register_callback(SNMP_CALLBACK_APPLICATION,
			       SNMPD_CALLBACK_INDEX_START, on_session, NULL);
	snmp_register_callback(SNMP_CALLBACK_APPLICATION,
			       SNMPD_CALLBACK_INDEX_STOP, on_session, NULL);
}

int
agentx_start(const char *address, struct err *e)
{
	set_library(address);
	if (init_agent(NAME) != 0)
		return err_set(e, "net-snmp's library does not start");
	/* Before init_agent() it would be overwritten. */
	netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID,
			   NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL, PING_S);
	init_snmp(NAME);
	return 0;
}

void
agentx_turn(void)
{
	agent_check_and_process(1);
}

void
agentx_stop(void)
{
	snmp_shutdown(NAME);
}

static int
answer_text(netsnmp_mib_handler *h, netsnmp_handler_registration *reg,
	    netsnmp_agent_request_info *info, netsnmp_request_info *request)
{
	const struct text *t = h->myvoid;
	char text[TEXT_MAX];

	(void)reg;
	for (; request != NULL; request = request->next) {
		if (request->processed)
			continue;
		if (info->mode != MODE_GET)
			netsnmp_set_request_error(info, request,
						  SNMP_ERR_NOTWRITABLE);
		else if (!t->fn(t->arg, text, sizeof(text)))
			netsnmp_set_request_error(info, request,
						  SNMP_NOSUCHINSTANCE);
		else
			snmp_set_var_typed_value(request->requestvb,
						 ASN_OCTET_STR, text,
						 strlen(text));
	}
	return SNMP_ERR_NOERROR;
}

static size_t
copy_oid(oid *to, const uint32_t *from, size_t len)
{
	size_t i;

	for (i = 0; i < len && i < AGENTX_OID_MAX; i++)
		to[i] = from[i];
	return i;
}

/* A registration that owns what, or NULL. */
static netsnmp_handler_registration *
make_registration(const char *name, Netsnmp_Node_Handler *handler,
		  const uint32_t *number, size_t len, void *what, struct err *e)
{
	netsnmp_handler_registration *reg;
	oid where[AGENTX_OID_MAX];

	len = copy_oid(where, number, len);
	reg = netsnmp_create_handler_registration(name, handler, where, len,
						  HANDLER_CAN_RONLY);
	if (reg == NULL)
		err_set(e, "%s: not registered", name);
	else
		reg->handler->myvoid = what;
	return reg;
}

int
agentx_add_text(const char *name, const uint32_t *number, size_t len,
		agentx_text_fn *fn, int arg, struct err *e)
{
	netsnmp_handler_registration *reg;
	struct text *t = xcalloc(1, sizeof(*t));

	t->fn = fn;
	t->arg = arg;
	reg = make_registration(name, answer_text, number, len, t, e);
	if (reg == NULL)
		return -1;
	if (netsnmp_register_instance(reg) != MIB_REGISTERED_OK)
		return err_set(e, "%s: not registered", name);
	return 0;
}

static void
put_value(netsnmp_variable_list *var, const struct agentx_value *v)
{
	struct counter64 big;
	u_long number = (u_long)v->number;

	switch (v->type) {
	case AGENTX_TEXT:
		snmp_set_var_typed_value(var, ASN_OCTET_STR, v->text,
					 strlen(v->text));
		break;
	case AGENTX_COUNTER:
		big.high = (u_long)(v->number >> 32);
		big.low = (u_long)(v->number & 0xffffffff);
		snmp_set_var_typed_value(var, ASN_COUNTER64, &big, sizeof(big));
		break;
	case AGENTX_GAUGE:
		snmp_set_var_typed_value(var, ASN_GAUGE, &number,
					 sizeof(number));
		break;
	case AGENTX_INTEGER:
		snmp_set_var_typed_value(var, ASN_INTEGER, &number,
					 sizeof(number));
		break;
	}
}

/* Of a name, what is behind base; false when it does not begin with it. */
static bool
behind(const netsnmp_variable_list *var, const netsnmp_handler_registration *r,
       uint32_t *to, size_t *len)
{
	size_t i;

	*len = 0;
	if (var->name_length < r->rootoid_len ||
	    netsnmp_oid_equals(var->name, r->rootoid_len, r->rootoid,
			       r->rootoid_len) != 0)
		return false;
	for (i = r->rootoid_len; i < var->name_length && *len < AGENTX_OID_MAX;
	     i++)
		to[(*len)++] = (uint32_t)var->name[i];
	return true;
}

/* What comes before the tree is answered by its first object. */
static bool
find_next(const struct agentx_tree *tree, netsnmp_handler_registration *reg,
	  netsnmp_request_info *request, struct agentx_value *v)
{
	netsnmp_variable_list *var = request->requestvb;
	uint32_t asked[AGENTX_OID_MAX];
	oid found[AGENTX_OID_MAX];
	size_t len;

	if (!behind(var, reg, asked, &len) &&
	    snmp_oid_compare(var->name, var->name_length, reg->rootoid,
			     reg->rootoid_len) > 0)
		return false;
	if (!tree->next(asked, len, request->inclusive != 0, v) ||
	    reg->rootoid_len + v->len > AGENTX_OID_MAX)
		return false;
	memcpy(found, reg->rootoid, reg->rootoid_len * sizeof(oid));
	copy_oid(found + reg->rootoid_len, v->oid, v->len);
	snmp_set_var_objid(var, found, reg->rootoid_len + v->len);
	return true;
}

static int
answer_tree(netsnmp_mib_handler *h, netsnmp_handler_registration *reg,
	    netsnmp_agent_request_info *info, netsnmp_request_info *request)
{
	const struct agentx_tree *tree = h->myvoid;
	uint32_t asked[AGENTX_OID_MAX];
	struct agentx_value v;
	size_t len;

	for (; request != NULL; request = request->next) {
		if (request->processed)
			continue;
		if (info->mode == MODE_GETNEXT) {
			if (find_next(tree, reg, request, &v))
				put_value(request->requestvb, &v);
		} else if (info->mode != MODE_GET) {
			netsnmp_set_request_error(info, request,
						  SNMP_ERR_NOTWRITABLE);
		} else if (behind(request->requestvb, reg, asked, &len) &&
			   tree->get(asked, len, &v)) {
			put_value(request->requestvb, &v);
		} else {
			netsnmp_set_request_error(info, request,
						  SNMP_NOSUCHINSTANCE);
		}
	}
	return SNMP_ERR_NOERROR;
}

int
agentx_add_tree(const char *name, const uint32_t *base, size_t len,
		const struct agentx_tree *tree, struct err *e)
{
	netsnmp_handler_registration *reg;
	void *kept = xmemdup(tree, sizeof(*tree));

	reg = make_registration(name, answer_tree, base, len, kept, e);
	if (reg == NULL)
		return -1;
	if (netsnmp_register_handler(reg) != MIB_REGISTERED_OK)
		return err_set(e, "%s: not registered", name);
	return 0;
}

void
agentx_notify(const uint32_t *base, size_t base_len, const uint32_t *number,
	      size_t len, const struct agentx_value *vars, size_t count)
{
	static const oid trap_oid[] = { 1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0 };
	netsnmp_variable_list *list = NULL, *var;
	oid name[2 * AGENTX_OID_MAX];
	size_t base_at = copy_oid(name, base, base_len), n;

	n = base_at + copy_oid(name + base_at, number, len);
	snmp_varlist_add_variable(&list, trap_oid, OID_LENGTH(trap_oid),
				  ASN_OBJECT_ID, name, n * sizeof(oid));
	for (size_t i = 0; i < count; i++) {
		n = base_at +
		    copy_oid(name + base_at, vars[i].oid, vars[i].len);
		if (n > MAX_OID_LEN)
			continue;
		var = snmp_varlist_add_variable(&list, name, n, ASN_NULL, NULL,
						0);
		if (var != NULL)
			put_value(var, &vars[i]);
	}
	send_v2trap(list);
	snmp_free_varbind(list);
}
