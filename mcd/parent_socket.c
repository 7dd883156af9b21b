/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A unix socket is connected or refused at once, so the parent never
 * waits; it never reads or writes what it has connected.
 */
#include "parent_socket.h"

#include <string.h>

#include "spamd.h"
#include "str.h"

void
parent_socket_ask(const struct conf *conf, peer_id from, const struct frame *f)
{
	struct frame_socket_reply reply = { .status = ANSWER_NO };
	struct err e = { "" };
	char text[160];
	struct spamd_place at;
	int fd = -1;

	if (spamd_place_parse(conf->spamd_socket, &at, &e) == 0) {
		if (at.path != NULL)
			fd = spamd_connect(&at, &e);
		else
			(void)err_set(&e, "spamd.socket is no path any more");
	}
	if (fd >= 0)
		reply.status = ANSWER_OK;
	str_printable(text, sizeof(text), e.text, strlen(e.text));
	reply.text = text;
	(void)peer_answer(from, f->token, FRAME_socket_reply, &reply, fd);
}
