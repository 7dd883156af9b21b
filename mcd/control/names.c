/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of users.
 */
#include "names.h"

#include <pwd.h>

#include "str.h"
#include "xalloc.h"

#define NAMES_MAX 10000
#define NAME_SIZE 33

struct name {
	uid_t uid;
	char text[NAME_SIZE];
};

static struct {
	struct name *list;
	size_t count, cap;
} self;

void
names_load(void)
{
	const struct passwd *pw;

	setpwent();
	while (self.count < NAMES_MAX && (pw = getpwent()) != NULL) {
		struct name *n;

		if (self.count == self.cap) {
			self.cap = self.cap == 0 ? 64 : self.cap * 2;
			self.list = xreallocarray(self.list, self.cap,
						  sizeof(*self.list));
		}
		n = &self.list[self.count++];
		n->uid = pw->pw_uid;
		str_copy(n->text, sizeof(n->text), pw->pw_name);
	}
	endpwent();
}

void
names_find(uid_t uid, char *dst, size_t size)
{
	for (size_t i = 0; i < self.count; i++)
		if (self.list[i].uid == uid) {
			str_copy(dst, size, self.list[i].text);
			return;
		}
	str_fmt(dst, size, "uid %ld", (long)uid);
}
