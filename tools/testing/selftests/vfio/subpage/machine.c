// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "machine.h"

#define MAX_STEAL	1.0

static bool read_line(const char *path, char *buf, size_t len)
{
	FILE *file = fopen(path, "re");
	bool ok;

	buf[0] = '\0';
	if (!file)
		return false;

	ok = fgets(buf, len, file);
	fclose(file);
	buf[strcspn(buf, "\n")] = '\0';
	return ok;
}

/* "model name	: Intel..." */
static void read_cpu_model(char *buf, size_t len)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[512], *colon;

	buf[0] = '\0';
	if (!file)
		return;

	while (fgets(line, sizeof(line), file)) {
		colon = strchr(line, ':');
		if (!colon || (strncmp(line, "model name", 10) && strncmp(line, "CPU part", 8)))
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(buf, len, "%s%.100s", line[0] == 'C' ? "CPU part" : "",
			 colon + (line[0] == 'C' ? 1 : 2));
		break;
	}
	fclose(file);
}

static int read_smt(void)
{
	char text[16];

	if (!read_line("/sys/devices/system/cpu/smt/active", text, sizeof(text)))
		return -1;
	return text[0] == '1';
}

static void read_governor(int cpu, char *buf, size_t len)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor",
		 cpu);
	read_line(path, buf, len);
}

static bool cpu_sees_hypervisor(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[4096];
	bool found = false;

	if (!file)
		return false;

	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, "flags", 5) && strstr(line, " hypervisor");
	fclose(file);
	return found;
}

/* What runs the machine; the firmware of virtual machines names it. */
static void read_hypervisor(const char *accel, char *buf, size_t len)
{
	char vendor[96];

	if (strcmp(accel, "none"))
		snprintf(buf, len, "%s", accel);
	else if (read_line("/sys/hypervisor/type", vendor, sizeof(vendor)))
		snprintf(buf, len, "%s", vendor);
	else if (cpu_sees_hypervisor())
		snprintf(buf, len, "%s",
			 read_line("/sys/class/dmi/id/sys_vendor", vendor, sizeof(vendor)) ?
			 vendor : "unknown");
	else
		buf[0] = '\0';
}

/* The first line of /proc/stat: user nice system idle iowait irq softirq steal. */
static bool read_times(u64 *stolen, u64 *total)
{
	u64 t[8] = { 0 };
	char line[256];
	int i;

	if (!read_line("/proc/stat", line, sizeof(line)) ||
	    sscanf(line, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2],
		   &t[3], &t[4], &t[5], &t[6], &t[7]) != 8)
		return false;

	*stolen = t[7];
	for (i = 0, *total = 0; i < 8; i++)
		*total += t[i];
	return true;
}

static void warn(struct machine *machine, const char *fmt, ...)
{
	va_list args;
	char text[400];

	if (machine->nr_warnings == MACHINE_MAX_WARNINGS)
		return;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	error_set(&machine->warning[machine->nr_warnings++], "%s", text);
}

void machine_begin(struct machine *machine, int cpu, const char *accel)
{
	memset(machine, 0, sizeof(*machine));
	read_cpu_model(machine->cpu_model, sizeof(machine->cpu_model));
	read_governor(cpu, machine->governor, sizeof(machine->governor));
	machine->smt = read_smt();
	read_hypervisor(accel, machine->hypervisor, sizeof(machine->hypervisor));
	machine->steal_percent = -1;
	if (!read_times(&machine->stolen, &machine->total))
		machine->total = 0;

	if (machine->governor[0] && strcmp(machine->governor, "performance"))
		warn(machine,
		     "frequency scaling: the governor of CPU %d is %s: choose performance", cpu,
		     machine->governor);
	if (machine->smt > 0)
		warn(machine, "SMT is on: a sibling of CPU %d may take its time: keep it idle",
		     cpu);
	if (!strcmp(accel, "tcg"))
		warn(machine,
		     "the CPU is emulated (TCG): only ratios mean something, and those not what they would mean on hardware");
	else if (machine->hypervisor[0])
		warn(machine, "a virtual machine (%.100s): times include its host's",
		     machine->hypervisor);
}

void machine_end(struct machine *machine)
{
	u64 stolen, total;

	if (!machine->total || !read_times(&stolen, &total) || total == machine->total)
		return;

	machine->steal_percent = (stolen - machine->stolen) * 100.0 / (total - machine->total);
	if (machine->steal_percent > MAX_STEAL)
		warn(machine, "%.1f %% of the CPUs' time was given to others: measure again",
		     machine->steal_percent);
}
