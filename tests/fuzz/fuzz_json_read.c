/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * JSON: nodes within their limits, texts that end, a copy that is the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json j = { .count = 0 }, copy = { .count = 0 };
	struct span in = { (const char *)data, size };
	size_t i;

	if (json_read(&j, in, NULL) == 0) {
		if (j.count == 0 || j.count > JSON_NODES_MAX ||
		    j.nodes[0].end != j.count)
			abort();
		json_copy(&copy, &j);
		for (i = 0; i < j.count; i++) {
			if (j.nodes[i].end <= i || j.nodes[i].end > j.count ||
			    strlen(j.nodes[i].text) > size ||
			    strcmp(j.nodes[i].text, copy.nodes[i].text) != 0)
				abort();
		}
	} else if (j.count != 0) {
		abort();
	}
	json_release(&copy);
	json_release(&j);
	return 0;
}
