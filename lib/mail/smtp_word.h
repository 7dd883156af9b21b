/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the parsers of command lines share.  Of no use elsewhere.
 */
#ifndef SMTP_WORD_H
#define SMTP_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "smtp.h"

/* Each fills the fault and returns -1; enhanced is static. */
int smtp_fault_set(struct smtp_fault *f, int code, const char *enhanced,
		   const char *what);
/* With the words of a stranger behind, made printable. */
int smtp_fault_about(struct smtp_fault *f, int code, const char *enhanced,
		     const char *what, struct span about);

/* ASCII letters compare without case. */
bool smtp_is_word(struct span s, const char *word);
/* The front of s up to the first stop, which stays in s. */
struct span smtp_cut(struct span *s, char stop);
void smtp_skip(struct span *s, size_t n);
void smtp_skip_blanks(struct span *s);
/* Digits only; a number too large for 64 bits becomes the largest. */
bool smtp_read_number(struct span s, uint64_t *out);

/* All behind the path of MAIL or RCPT, which out->verb says. */
int smtp_parse_params(struct span in, struct smtp_command *out,
		      struct smtp_fault *fault);

#endif
