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

int
agentx_add_text(const char *name, const uint32_t *number, size_t len,
		agentx_text_fn *fn, int arg, struct err *e)
{
	netsnmp_handler_registration *reg;
	oid where[AGENTX_OID_MAX];
	struct text *t = xcalloc(1, sizeof(*t));
	size_t i;

	for (i = 0; i < len && i < AGENTX_OID_MAX; i++)
		where[i] = number[i];
	t->fn = fn;
	t->arg = arg;
	reg = netsnmp_create_handler_registration(name, answer_text, where, i,
						  HANDLER_CAN_RONLY);
	if (reg == NULL)
		return err_set(e, "%s: not registered", name);
	reg->handler->myvoid = t;
	if (netsnmp_register_instance(reg) != MIB_REGISTERED_OK)
		return err_set(e, "%s: not registered", name);
	return 0;
}
