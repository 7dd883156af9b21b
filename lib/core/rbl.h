/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * DNS lists (RFC 5782): what a row "rbl" of settings.db says of one, the
 * names it is asked for, and what its replies mean.  No I/O here.
 *
 * A row is the name of the list and a line of words:
 *
 *   zone=zen.example lists=ip4,ip6 use=prerbl points=2.0 on=yes
 *   replies=127.0.0.2=2.5/sbl,127.0.0.4-7 test=TEST,INVALID text=Why
 *
 * A reply is a pattern of four octets, each a number, a range 4-7, * or
 * bit8 (that bit is set), then its own points and its own label if it has
 * any.  Points above 0 speak against, below 0 for whoever is listed; 0 is
 * a reply that is known and worth nothing.  What no pattern knows, and
 * 127.255.255.*, means that the list is broken, and never "listed".
 */
#ifndef RBL_H
#define RBL_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "ip.h"

#define RBL_LISTS_MAX 64 /* that are used */
#define RBL_REPLIES_MAX 32 /* of a list */
#define RBL_NAME_SIZE 25
#define RBL_ZONE_SIZE 129
#define RBL_LABEL_SIZE 17
#define RBL_TEST_SIZE 65
#define RBL_TEXT_SIZE 161
#define RBL_VALUE_MAX 1400 /* bytes of a row */
#define RBL_QUERY_SIZE 256
#define RBL_SYMPTOM_SIZE 64

/* What it can be asked for. */
enum rbl_what { RBL_IP4 = 1, RBL_IP6 = 2, RBL_DOMAIN = 4, RBL_HOST = 8 };
/* Who asks it. */
enum rbl_use {
	RBL_REFUSE = 1,
	RBL_PRERBL = 2,
	RBL_URIRBL = 4,
	RBL_TRUSTED = 8
};
#define RBL_USE_ALL 15

/* An octet fits from min to max, or where it has one of bits. */
struct rbl_octet {
	uint8_t min, max, bits;
};

struct rbl_reply {
	struct rbl_octet octet[4];
	bool has_points;
	int64_t points; /* thousandths */
	char label[RBL_LABEL_SIZE]; /* A-Z a-z 0-9 _, or "" */
};

struct rbl {
	char name[RBL_NAME_SIZE]; /* a-z 0-9 - */
	char zone[RBL_ZONE_SIZE]; /* lower case */
	unsigned lists; /* set of enum rbl_what */
	unsigned use; /* set of enum rbl_use */
	bool is_on;
	int64_t points; /* of replies without their own */
	struct rbl_reply replies[RBL_REPLIES_MAX];
	unsigned reply_count;
	/* Names that must and must not be there (RFC 5782 section 5). */
	char listed[RBL_TEST_SIZE], clean[RBL_TEST_SIZE];
	char text[RBL_TEXT_SIZE]; /* for who is refused, "" the list's own */
};

/* An empty one that is on; false when name is none for a list. */
bool rbl_init(struct rbl *r, const char *name);
/* Sets the word of a key, such as "zone"; -1 with e when it is wrong. */
int rbl_set(struct rbl *r, const char *key, const char *value, struct err *e);
/* A whole row; what is missing has its default, a zone must be there. */
int rbl_read(struct rbl *r, const char *name, const char *value, struct err *e);
/* Whether it is whole: it has a zone, something it lists, a reply. */
int rbl_check(const struct rbl *r, struct err *e);
/* The row that rbl_read() takes. */
void rbl_write(const struct rbl *r, struct buf *out);
/* The value of one key as text, "" for one that there is not. */
void rbl_word(const struct rbl *r, const char *key, struct buf *out);
/* The keys in their order, NULL at the end. */
extern const char *const rbl_keys[];

/* One word of an enum, and the set as "ip4,ip6". */
const char *rbl_what_name(enum rbl_what w);
const char *rbl_use_name(enum rbl_use u);

/* The name to ask for; false when it would be too long. */
bool rbl_query_ip(const struct rbl *r, const struct ip *ip,
		  char dst[RBL_QUERY_SIZE]);
bool rbl_query_name(const struct rbl *r, const char *name,
		    char dst[RBL_QUERY_SIZE]);
/* The name that tests one thing it lists: must be there, or must not. */
bool rbl_query_test(const struct rbl *r, enum rbl_what what, bool is_listed,
		    char dst[RBL_QUERY_SIZE]);

/*
 * One record of the answer, of type A.  Sets the bits of the replies that
 * fit in *hits; false when it is none of this list's, with why.
 */
bool rbl_take(const struct rbl *r, struct span rdata, uint32_t *hits,
	      struct err *why);
/* What a reply is worth. */
int64_t rbl_points(const struct rbl *r, unsigned reply);
/* "RBL_ZEN_SBL": what the finding is called. */
void rbl_symptom(const struct rbl *r, unsigned reply,
		 char dst[RBL_SYMPTOM_SIZE]);

/* Whether an address is of no interest to any list: private, loopback,
 * link-local, shared, multicast, unspecified. */
bool rbl_is_private(const struct ip *ip);

/* Lists that are known to us: not in use until they are added. */
struct rbl_preset {
	const char *name, *value, *terms;
};
extern const struct rbl_preset rbl_presets[];
extern const size_t rbl_preset_count;
const struct rbl_preset *rbl_preset(const char *name);

#endif
