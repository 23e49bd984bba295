// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "registers/profile.h"

#define BLANKS		" \t\r\n"
#define DIGITS		"0123456789"
#define HEX_DIGITS	DIGITS "abcdefABCDEF"

/* Of a register. Those that are required come first. */
enum key {
	BAR,
	OFFSET,
	WIDTH,
	ACCESS,
	NR_REQUIRED,
	READBACK = NR_REQUIRED,
	VALUE,
	MASK,
	NR_KEYS
};

/* The value of a key is a number, or one of two words: then its place. */
static const struct {
	const char *name;
	const char *word[2];
} keys[NR_KEYS] = {
	[BAR] = { "bar" },
	[OFFSET] = { "offset" },
	[WIDTH] = { "width" },
	[ACCESS] = { "access", { "ro", "rw" } },
	[READBACK] = { "readback", { "same", "inverted" } },
	[VALUE] = { "value" },
	[MASK] = { "mask" },
};

struct register_line {
	u64 value[NR_KEYS];
	bool has[NR_KEYS];
};

/* strtoull() alone would take a sign, blanks, octal and a second 0x. */
bool profile_parse_number(const char *text, u64 *number)
{
	bool hex = !strncmp(text, "0x", 2);
	const char *digits = hex ? text + 2 : text;

	if (!*digits || digits[strspn(digits, hex ? HEX_DIGITS : DIGITS)])
		return false;

	errno = 0;
	*number = strtoull(digits, NULL, hex ? 16 : 10);
	return !errno;
}

static int parse_value(enum key key, const char *text, u64 *value, struct error *err)
{
	const char * const *word = keys[key].word;

	if (!word[0])
		return profile_parse_number(text, value) ? 0 :
		       error_set(err, "%s=%s: not a number", keys[key].name, text);

	*value = !strcmp(text, word[1]);
	if (!*value && strcmp(text, word[0]))
		return error_set(err, "%s=%s: neither %s nor %s", keys[key].name, text, word[0],
				 word[1]);
	return 0;
}

static int parse_key(struct register_line *line, char *name, struct error *err)
{
	char *text = strchr(name, '=');
	int key;

	if (!text)
		return error_set(err, "'%s' is not of the form key=value", name);

	*text++ = '\0';
	for (key = 0; key < NR_KEYS && strcmp(name, keys[key].name); key++)
		;
	if (key == NR_KEYS)
		return error_set(err, "unknown key '%s'", name);
	if (line->has[key])
		return error_set(err, "%s= is given twice", name);

	line->has[key] = true;
	return parse_value(key, text, &line->value[key], err);
}

static int check_place(const struct register_line *line, struct error *err)
{
	u64 bar = line->value[BAR], width = line->value[WIDTH];
	int key;

	for (key = 0; key < NR_REQUIRED; key++)
		if (!line->has[key])
			return error_set(err, "%s= is missing", keys[key].name);
	if (bar >= PCI_STD_NUM_BARS)
		return error_set(err, "bar=%llu: not one of 0 to %d", bar, PCI_STD_NUM_BARS - 1);
	if (width != 1 && width != 2 && width != 4 && width != 8)
		return error_set(err, "width=%llu: not one of 1, 2, 4 and 8", width);
	if (line->value[OFFSET] % width)
		return error_set(err, "offset is not a multiple of the width");
	return 0;
}

static int check_register(const struct register_line *line, struct error *err)
{
	bool writable = line->value[ACCESS];

	if (check_place(line, err))
		return -1;
	if (writable && !line->has[READBACK])
		return error_set(err, "access=rw without readback=");
	if (!writable && line->has[READBACK])
		return error_set(err, "readback= needs access=rw");
	if (writable && (line->has[VALUE] || line->has[MASK]))
		return error_set(err, "value= and mask= need access=ro");
	if (line->has[MASK] && !line->has[VALUE])
		return error_set(err, "mask= without value=");
	if ((line->value[VALUE] | line->value[MASK]) & ~register_mask(line->value[WIDTH]))
		return error_set(err, "value= or mask= is wider than the register");
	return 0;
}

static void set_register(const struct register_line *line, struct safe_register *reg)
{
	*reg = (struct safe_register) {
		.bar = line->value[BAR],
		.width = line->value[WIDTH],
		.offset = line->value[OFFSET],
		.value = line->value[VALUE],
		.mask = line->value[MASK],
	};
	if (line->has[READBACK])
		reg->readback = line->value[READBACK] ? READBACK_INVERTED : READBACK_SAME;
	if (line->has[VALUE] && !line->has[MASK])
		reg->mask = register_mask(reg->width);
}

int profile_parse_register(const char *text, struct safe_register *reg, struct error *err)
{
	struct register_line line = { 0 };
	char *copy = strdup(text), *word, *save;
	int ret = 0;

	if (!copy)
		return error_set(err, "no memory");

	for (word = strtok_r(copy, BLANKS, &save); word && !ret;
	     word = strtok_r(NULL, BLANKS, &save))
		ret = parse_key(&line, word, err);
	free(copy);
	if (ret || check_register(&line, err))
		return -1;

	set_register(&line, reg);
	return 0;
}

int register_list_add(struct register_list *list, const struct safe_register *reg,
		      struct error *err)
{
	struct safe_register *grown;
	size_t i;

	for (i = 0; i < list->nr; i++)
		if (list->reg[i].bar == reg->bar && list->reg[i].offset == reg->offset &&
		    list->reg[i].width == reg->width)
			return 0;

	grown = reallocarray(list->reg, list->nr + 1, sizeof(*grown));
	if (!grown)
		return error_set(err, "no memory");

	list->reg = grown;
	list->reg[list->nr++] = *reg;
	return 1;
}

void register_list_free(struct register_list *list)
{
	free(list->reg);
	*list = (struct register_list) { 0 };
}

static int add_register(struct profile *profile, const char *text, struct error *err)
{
	struct safe_register reg;
	int added;

	if (!profile->nr_match)
		return error_set(err, "register before any device or class");
	if (profile_parse_register(text, &reg, err))
		return -1;

	added = register_list_add(&profile->list, &reg, err);
	if (!added)
		return error_set(err, "the register is there already");
	return added < 0 ? -1 : 0;
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

/* Digits are matched as text: %x would take a sign, blanks and 0x. */
static int add_device(struct profile *profile, const char *text, struct error *err)
{
	struct profile_match match = { .device = PROFILE_ANY_DEVICE };
	char vendor[5], device[5];
	int end = 0;

	if (sscanf(text, "%4[" HEX_DIGITS "]:%n%4[" HEX_DIGITS "]%n", vendor, &end, device,
		   &end) == 2)
		match.device = strtoul(device, NULL, 16);
	else if (end && text[end] == '*')
		end++;
	else
		end = 0;
	if (!end || text[end])
		return error_set(err, "'%s' is not vendor:device, 1 to 4 hexadecimal digits each",
				 text);

	match.vendor = strtoul(vendor, NULL, 16);
	return add_match(profile, &match, err);
}

static int add_class(struct profile *profile, const char *text, struct error *err)
{
	struct profile_match match = { .is_class = true };

	if (strspn(text, HEX_DIGITS) != 6 || text[6])
		return error_set(err, "'%s': class is not 6 hexadecimal digits", text);

	match.class = strtoul(text, NULL, 16);
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
	size_t len = strcspn(line, "#");

	while (len && strchr(BLANKS, line[len - 1]))
		len--;
	line[len] = '\0';
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

static int parse_lines(FILE *file, int *number, struct profile *profile, struct error *err)
{
	char *line = NULL;
	size_t size = 0;
	int ret = 0;

	for (*number = 0; !ret && getline(&line, &size, file) >= 0; ++*number)
		ret = parse_line(profile, line, err);
	free(line);
	if (ret)
		return ret;
	if (ferror(file))
		return error_set(err, "%s", strerror(errno));
	return profile->list.nr ? 0 : error_set(err, "names no register");
}

int profile_parse(FILE *file, const char *path, struct profile *profile, struct error *err)
{
	struct error what;
	int number;

	*profile = (struct profile) { 0 };
	if (!parse_lines(file, &number, profile, &what))
		return 0;

	profile_free(profile);
	return error_set(err, "%.200s:%d: %.200s", path, number, what.text);
}

void profile_free(struct profile *profile)
{
	free(profile->match);
	register_list_free(&profile->list);
	*profile = (struct profile) { 0 };
}

static int is_profile(const struct dirent *entry)
{
	return !fnmatch("*.profile", entry->d_name, FNM_PERIOD);
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

	for (i = 0; i < n; i++, set->nr++)
		if (load_file(dir, names[i]->d_name, &set->profile[i], err))
			return -1;
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
enum {
	NAMES_FAMILY = 1,
	NAMES_DEVICE
};

static int closeness(const struct profile *profile, unsigned int vendor,
		     unsigned int device, unsigned int class)
{
	int best = 0;
	size_t i;

	for (i = 0; i < profile->nr_match; i++) {
		const struct profile_match *match = &profile->match[i];
		int here = 0;

		if (match->is_class)
			here = match->class == class ? NAMES_FAMILY : 0;
		else if (match->vendor == vendor && match->device == PROFILE_ANY_DEVICE)
			here = NAMES_FAMILY;
		else if (match->vendor == vendor && match->device == (int)device)
			here = NAMES_DEVICE;
		if (here > best)
			best = here;
	}
	return best;
}

static int collect(const struct profile *profile, unsigned int bar, struct register_list *list,
		   struct error *err)
{
	size_t i;

	for (i = 0; i < profile->list.nr; i++)
		if (profile->list.reg[i].bar == bar &&
		    register_list_add(list, &profile->list.reg[i], err) < 0)
			return -1;
	return 0;
}

int profile_set_registers(const struct profile_set *set, unsigned int vendor,
			  unsigned int device, unsigned int class, unsigned int bar,
			  struct register_list *list, struct error *err)
{
	size_t i;
	int level;

	for (level = NAMES_DEVICE; level > 0; level--)
		for (i = 0; i < set->nr; i++)
			if (closeness(&set->profile[i], vendor, device, class) == level &&
			    collect(&set->profile[i], bar, list, err))
				return -1;
	return 0;
}

const char *profile_set_name(const struct profile_set *set, unsigned int vendor,
			     unsigned int device, unsigned int class)
{
	size_t i;
	int level;

	for (level = NAMES_DEVICE; level > 0; level--)
		for (i = 0; i < set->nr; i++)
			if (closeness(&set->profile[i], vendor, device, class) == level &&
			    set->profile[i].name[0])
				return set->profile[i].name;
	return "";
}
