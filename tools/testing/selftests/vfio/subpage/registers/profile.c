// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "device/sysfs.h"
#include "registers/profile.h"

#define SUFFIX		".profile"
#define BLANKS		" \t\r\n"
#define DIGITS		"0123456789"
#define HEX_DIGITS	DIGITS "abcdefABCDEF"

/* Which keys of a register line were seen. */
enum {
	SAW_BAR		= 1 << 0,
	SAW_OFFSET	= 1 << 1,
	SAW_WIDTH	= 1 << 2,
	SAW_ACCESS	= 1 << 3,
	SAW_READBACK	= 1 << 4,
	SAW_VALUE	= 1 << 5,
	SAW_MASK	= 1 << 6,
};

/* Those of them that are required come first. */
#define NR_KEYS		7
#define NR_REQUIRED	4

struct register_line {
	struct safe_register *reg;
	bool writable;
	unsigned int saw;
};

static bool is_only(const char *text, const char *digits)
{
	return *text && !text[strspn(text, digits)];
}

/* strtoull() alone would take a sign, blanks, octal and a second 0x. */
static bool parse_number(const char *text, u64 *number)
{
	bool hex = !strncmp(text, "0x", 2);

	if (!is_only(hex ? text + 2 : text, hex ? HEX_DIGITS : DIGITS))
		return false;

	errno = 0;
	*number = strtoull(text, NULL, hex ? 16 : 10);
	return !errno;
}

static bool parse_hex(const char *text, size_t min, size_t max, unsigned int *number)
{
	size_t len = strlen(text);

	if (!is_only(text, HEX_DIGITS) || len < min || len > max)
		return false;

	*number = strtoul(text, NULL, 16);
	return true;
}

static int set_number(const char *key, const char *text, u64 *number, struct error *err)
{
	if (!parse_number(text, number))
		return error_set(err, "%s=%s: not a number", key, text);

	return 0;
}

static int set_bar(struct register_line *line, const char *text, struct error *err)
{
	u64 bar;

	if (set_number("bar", text, &bar, err))
		return -1;
	if (bar >= SYSFS_NR_BARS)
		return error_set(err, "bar=%s: not one of 0 to 5", text);

	line->reg->bar = bar;
	return 0;
}

static int set_width(struct register_line *line, const char *text, struct error *err)
{
	u64 width;

	if (set_number("width", text, &width, err))
		return -1;
	if (width != 1 && width != 2 && width != 4 && width != 8)
		return error_set(err, "width=%s: not one of 1, 2, 4 and 8", text);

	line->reg->width = width;
	return 0;
}

static int set_access(struct register_line *line, const char *text, struct error *err)
{
	if (strcmp(text, "ro") && strcmp(text, "rw"))
		return error_set(err, "access=%s: neither ro nor rw", text);

	line->writable = !strcmp(text, "rw");
	return 0;
}

static int set_readback(struct register_line *line, const char *text, struct error *err)
{
	if (strcmp(text, "same") && strcmp(text, "inverted"))
		return error_set(err, "readback=%s: neither same nor inverted", text);

	line->reg->readback = strcmp(text, "same") ? READBACK_INVERTED : READBACK_SAME;
	return 0;
}

static int set_offset(struct register_line *line, const char *text, struct error *err)
{
	return set_number("offset", text, &line->reg->offset, err);
}

static int set_value(struct register_line *line, const char *text, struct error *err)
{
	return set_number("value", text, &line->reg->value, err);
}

static int set_mask(struct register_line *line, const char *text, struct error *err)
{
	return set_number("mask", text, &line->reg->mask, err);
}

static const struct {
	const char *name;
	unsigned int saw;
	int (*set)(struct register_line *line, const char *text, struct error *err);
} keys[NR_KEYS] = {
	{ "bar", SAW_BAR, set_bar },
	{ "offset", SAW_OFFSET, set_offset },
	{ "width", SAW_WIDTH, set_width },
	{ "access", SAW_ACCESS, set_access },
	{ "readback", SAW_READBACK, set_readback },
	{ "value", SAW_VALUE, set_value },
	{ "mask", SAW_MASK, set_mask },
};

static int parse_key(struct register_line *line, char *word, struct error *err)
{
	char *text = strchr(word, '=');
	size_t i;

	if (!text)
		return error_set(err, "'%s' is not of the form key=value", word);

	*text++ = '\0';
	for (i = 0; i < NR_KEYS; i++) {
		if (strcmp(word, keys[i].name))
			continue;
		if (line->saw & keys[i].saw)
			return error_set(err, "%s= is given twice", word);
		line->saw |= keys[i].saw;
		return keys[i].set(line, text, err);
	}
	return error_set(err, "unknown key '%s'", word);
}

static int check_value(struct register_line *line, struct error *err)
{
	struct safe_register *reg = line->reg;

	if (line->writable && line->saw & (SAW_VALUE | SAW_MASK))
		return error_set(err, "value= and mask= need access=ro");
	if (line->saw & SAW_MASK && !(line->saw & SAW_VALUE))
		return error_set(err, "mask= without value=");
	if ((reg->value | reg->mask) & ~register_mask(reg->width))
		return error_set(err, "value= or mask= is wider than the register");
	if (line->saw & SAW_VALUE && !(line->saw & SAW_MASK))
		reg->mask = register_mask(reg->width);

	return 0;
}

static int check_register(struct register_line *line, struct error *err)
{
	struct safe_register *reg = line->reg;
	size_t i;

	for (i = 0; i < NR_REQUIRED; i++)
		if (!(line->saw & keys[i].saw))
			return error_set(err, "%s= is missing", keys[i].name);

	if (reg->offset % reg->width)
		return error_set(err, "offset is not a multiple of the width");
	if (line->writable && !(line->saw & SAW_READBACK))
		return error_set(err, "access=rw without readback=");
	if (!line->writable && line->saw & SAW_READBACK)
		return error_set(err, "readback= needs access=rw");

	return check_value(line, err);
}

int profile_parse_register(const char *text, struct safe_register *reg, struct error *err)
{
	struct register_line line = { .reg = reg };
	char copy[256], *word, *save;

	if (strlen(text) >= sizeof(copy))
		return error_set(err, "the line is too long");

	memset(reg, 0, sizeof(*reg));
	memcpy(copy, text, strlen(text) + 1);
	for (word = strtok_r(copy, BLANKS, &save); word; word = strtok_r(NULL, BLANKS, &save))
		if (parse_key(&line, word, err))
			return -1;

	return check_register(&line, err);
}

static bool same_place(const struct safe_register *a, const struct safe_register *b)
{
	return a->bar == b->bar && a->offset == b->offset && a->width == b->width;
}

static int add_register(struct profile *profile, const char *text, struct error *err)
{
	struct safe_register reg, *grown;
	size_t i;

	if (!profile->nr_match)
		return error_set(err, "register before any device or class");
	if (profile_parse_register(text, &reg, err))
		return -1;

	for (i = 0; i < profile->nr_reg; i++)
		if (same_place(&profile->reg[i], &reg))
			return error_set(err, "the register is there already");

	grown = reallocarray(profile->reg, profile->nr_reg + 1, sizeof(*grown));
	if (!grown)
		return error_set(err, "no memory");

	profile->reg = grown;
	profile->reg[profile->nr_reg++] = reg;
	return 0;
}

static bool same_match(const struct profile_match *a, const struct profile_match *b)
{
	return a->is_class == b->is_class && a->vendor == b->vendor &&
	       a->device == b->device && a->class == b->class;
}

static int add_match(struct profile *profile, const struct profile_match *match,
		     struct error *err)
{
	struct profile_match *grown;
	size_t i;

	for (i = 0; i < profile->nr_match; i++)
		if (same_match(&profile->match[i], match))
			return error_set(err, "the device or class is there already");

	grown = reallocarray(profile->match, profile->nr_match + 1, sizeof(*grown));
	if (!grown)
		return error_set(err, "no memory");

	profile->match = grown;
	profile->match[profile->nr_match++] = *match;
	return 0;
}

static int add_device(struct profile *profile, const char *text, struct error *err)
{
	struct profile_match match = { .device = PROFILE_ANY_DEVICE };
	const char *colon = strchr(text, ':');
	unsigned int device;
	char vendor[8];

	if (!colon)
		return error_set(err, "'%s' is not of the form vendor:device", text);

	snprintf(vendor, sizeof(vendor), "%.*s", (int)(colon - text), text);
	if (colon - text > 4 || !parse_hex(vendor, 1, 4, &match.vendor))
		return error_set(err, "'%s': vendor is not 1 to 4 hexadecimal digits", text);

	if (strcmp(colon + 1, "*")) {
		if (!parse_hex(colon + 1, 1, 4, &device))
			return error_set(err, "'%s': device is not 1 to 4 hexadecimal digits or *",
					 text);
		match.device = device;
	}
	return add_match(profile, &match, err);
}

static int add_class(struct profile *profile, const char *text, struct error *err)
{
	struct profile_match match = { .is_class = true };

	if (!parse_hex(text, 6, 6, &match.class))
		return error_set(err, "'%s': class is not 6 hexadecimal digits", text);

	return add_match(profile, &match, err);
}

static int set_name(struct profile *profile, const char *text, struct error *err)
{
	if (profile->name[0])
		return error_set(err, "a second name");
	if (!text[0])
		return error_set(err, "the name is empty");
	if (strlen(text) >= sizeof(profile->name))
		return error_set(err, "the name is too long");

	memcpy(profile->name, text, strlen(text) + 1);
	return 0;
}

static void strip(char *line)
{
	size_t len;

	line[strcspn(line, "#")] = '\0';
	len = strlen(line);
	while (len && strchr(BLANKS, line[len - 1]))
		line[--len] = '\0';
}

static int parse_line(struct profile *profile, char *line, struct error *err)
{
	char *word, *rest;

	strip(line);
	word = line + strspn(line, BLANKS);
	if (!*word)
		return 0;

	rest = word + strcspn(word, BLANKS);
	if (*rest)
		*rest++ = '\0';
	rest += strspn(rest, BLANKS);

	if (!strcmp(word, "device"))
		return add_device(profile, rest, err);
	if (!strcmp(word, "class"))
		return add_class(profile, rest, err);
	if (!strcmp(word, "name"))
		return set_name(profile, rest, err);
	if (!strcmp(word, "register"))
		return add_register(profile, rest, err);

	return error_set(err, "unknown line '%s'", word);
}

int profile_parse(FILE *file, const char *path, struct profile *profile, struct error *err)
{
	char line[512];
	struct error what;
	int number = 0;

	memset(profile, 0, sizeof(*profile));
	while (fgets(line, sizeof(line), file)) {
		number++;
		if (!parse_line(profile, line, &what))
			continue;
		profile_free(profile);
		return error_set(err, "%.200s:%d: %.200s", path, number, what.text);
	}

	if (ferror(file) || !profile->nr_reg) {
		const char *problem = ferror(file) ? strerror(errno) : "names no register";

		profile_free(profile);
		return error_set(err, "%.200s:%d: %s", path, number, problem);
	}
	return 0;
}

void profile_free(struct profile *profile)
{
	free(profile->match);
	free(profile->reg);
	memset(profile, 0, sizeof(*profile));
}

static int is_profile(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > strlen(SUFFIX) && entry->d_name[0] != '.' &&
	       !strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX);
}

static int load_file(const char *dir, const char *name, struct profile *profile,
		     struct error *err)
{
	char path[PATH_MAX];
	FILE *file;
	int ret;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "re");
	if (!file)
		return error_set(err, "%.300s: cannot read the profile: %s", path,
				 strerror(errno));

	ret = profile_parse(file, path, profile, err);
	fclose(file);
	return ret;
}

static int load_files(const char *dir, struct dirent **names, int n,
		      struct profile_set *set, struct error *err)
{
	int i;

	set->profile = calloc(n ? n : 1, sizeof(*set->profile));
	if (!set->profile)
		return error_set(err, "no memory for %d profiles", n);

	for (i = 0; i < n; i++) {
		if (load_file(dir, names[i]->d_name, &set->profile[i], err))
			return -1;
		set->nr++;
	}
	return 0;
}

int profile_set_load(const char *dir, struct profile_set *set, struct error *err)
{
	struct dirent **names;
	int n, i, ret;

	memset(set, 0, sizeof(*set));
	n = scandir(dir, &names, is_profile, alphasort);
	if (n < 0)
		return error_set(err, "%.300s: cannot read the profiles: %s", dir,
				 strerror(errno));

	ret = load_files(dir, names, n, set, err);
	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
	if (ret)
		profile_set_free(set);
	return ret;
}

void profile_set_free(struct profile_set *set)
{
	size_t i;

	for (i = 0; i < set->nr; i++)
		profile_free(&set->profile[i]);
	free(set->profile);
	memset(set, 0, sizeof(*set));
}

/* How closely a profile names a device; 0 for not at all. */
static int closeness(const struct profile *profile, unsigned int vendor,
		     unsigned int device, unsigned int class)
{
	int best = 0;
	size_t i;

	for (i = 0; i < profile->nr_match; i++) {
		const struct profile_match *match = &profile->match[i];
		int here = 0;

		if (match->is_class)
			here = match->class == class;
		else if (match->vendor == vendor && match->device == PROFILE_ANY_DEVICE)
			here = 1;
		else if (match->vendor == vendor && match->device == (int)device)
			here = 2;
		if (here > best)
			best = here;
	}
	return best;
}

static size_t collect(const struct profile *profile, unsigned int bar,
		      struct safe_register *reg, size_t n, size_t max)
{
	size_t i;

	for (i = 0; i < profile->nr_reg && n < max; i++)
		if (profile->reg[i].bar == bar)
			reg[n++] = profile->reg[i];
	return n;
}

size_t profile_set_registers(const struct profile_set *set, unsigned int vendor,
			     unsigned int device, unsigned int class, unsigned int bar,
			     struct safe_register *reg, size_t max)
{
	size_t n = 0, i;
	int level;

	for (level = 2; level > 0; level--)
		for (i = 0; i < set->nr; i++)
			if (closeness(&set->profile[i], vendor, device, class) == level)
				n = collect(&set->profile[i], bar, reg, n, max);
	return n;
}
