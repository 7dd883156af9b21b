/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A breaker played from a line: each character is a moment.
 */
#include "breaker.h"
#include "check.h"

/*
 * o a call that succeeds, x one that fails, w a wait of its time, a what a
 * message is told now: "+" it may, "t" it tries, "-" left out; T and F: the
 * trial succeeds, fails; u: it did not come to it.
 */
static const struct {
	const char *what, *play, *told;
} rows[] = {
	{ "closed at first", "a", "+" },
	{ "few failures", "xxa", "+" },
	{ "three in a row", "xxxa", "-" },
	{ "a success between", "xxoxxa", "+" },
	{ "one tries after its time", "xxxwaaa", "t--" },
	{ "the trial succeeds", "xxxwaTaa", "t++" },
	{ "the trial fails", "xxxwaFawa", "t-t" },
	{ "the trial does not come to it", "xxxwaua", "tt" },
	{ "late results of others change nothing", "xxxooa", "-" },
	{ "late failures do not keep it open", "xxxwaxTa", "t+" },
	{ "after a trial it takes three again", "xxxwaTxxaxa", "t+-" },
	{ "half of the last 32", "xoxoxoxoxoxoxoxoxoxoxoxoxoxoxoxoaxa", "+-" },
	{ "a third of them", "xooxooxooxooxooxooxooxooxooxooxooxooxooxooa",
	  "+" },
};

static void
play(const char *text, const struct breaker_limits *l, char *told)
{
	struct breaker b = { .state = BREAKER_CLOSED };
	int64_t now_ms = 1000;
	bool is_trial;

	for (; *text != '\0'; text++) {
		if (*text == 'w')
			now_ms += l->time_ms;
		else if (*text == 'u')
			breaker_untried(&b);
		else if (*text == 'a')
			*told++ = !breaker_allows(&b, now_ms, &is_trial) ? '-'
				  : is_trial				 ? 't'
									 : '+';
		else
			breaker_result(&b, l, *text == 'T' || *text == 'F',
				       *text == 'x' || *text == 'F', now_ms);
	}
	*told = '\0';
}

int
main(void)
{
	struct breaker_limits l = { 3, 50, 60000 };
	char told[64];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		play(rows[i].play, &l, told);
		CHECK_STR(told, rows[i].told, "%s", rows[i].what);
	}
	l.failures = 0;
	play("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxa", &l, told);
	CHECK_STR(told, "+", "it never opens where it must not");
	l = (struct breaker_limits){ 100, 0, 60000 };
	play("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxa", &l, told);
	CHECK_STR(told, "+", "no share, no matter how many");
	return check_done();
}
