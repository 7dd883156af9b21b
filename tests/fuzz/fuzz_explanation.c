/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * The kept lines of a decision.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "explanation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	int64_t points = 0, threshold = 0;
	struct explained x;
	struct err e;
	char *text;
	size_t i;

	if (size > 4 * EXPLANATION_MAX)
		return 0;
	text = malloc(size + 1);
	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (explanation_read(text, &a, &x, &e) == 0) {
		if (x.step_count > EXPLANATION_STEPS ||
		    x.setting_count > EXPLANATION_SETTINGS ||
		    x.class[0] == '\0' || x.action[0] == '\0')
			abort();
		for (i = 0; i < x.step_count; i++)
			if (x.steps[i].rule_count > EXPLANATION_RULES ||
			    x.steps[i].filter[0] == '\0' ||
			    x.steps[i].detail == NULL)
				abort();
		if (explanation_sum(text, &points, &threshold) == 0 &&
		    (points != x.points || threshold != x.threshold))
			abort();
	}
	arena_release(&a);
	free(text);
	return 0;
}
