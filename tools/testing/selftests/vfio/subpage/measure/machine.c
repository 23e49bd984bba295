// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "device/sysfs.h"
#include "measure/machine.h"

#define MAX_STEAL	1.0

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

	if (!sysfs_read_line("/sys/devices/system/cpu/smt/active", text, sizeof(text)))
		return -1;
	return text[0] == '1';
}

static void read_governor(int cpu, char *buf, size_t len)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor",
		 cpu);
	sysfs_read_line(path, buf, len);
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

/*
 * Only x86 CPUs say that they are virtual. Elsewhere: QEMU's firmware tables, and
 * the device tree of virtual machines, which has "linux,dummy-virt" for a name.
 */
static bool is_virtual(const char *vendor)
{
	char name[96];

	return cpu_sees_hypervisor() || !strcmp(vendor, "QEMU") ||
	       !access("/proc/device-tree/hypervisor", F_OK) ||
	       (sysfs_read_line("/proc/device-tree/compatible", name, sizeof(name)) &&
		!strcmp(name, "linux,dummy-virt"));
}

/* What runs the machine; the firmware of virtual machines names it. */
static void read_hypervisor(const char *accel, char *buf, size_t len)
{
	char vendor[96] = "", type[96];

	sysfs_read_line("/sys/class/dmi/id/sys_vendor", vendor, sizeof(vendor));
	if (strcmp(accel, "none"))
		snprintf(buf, len, "%s", accel);
	else if (sysfs_read_line("/sys/hypervisor/type", type, sizeof(type)))
		snprintf(buf, len, "%s", type);
	else if (is_virtual(vendor))
		snprintf(buf, len, "%s", vendor[0] ? vendor : "unknown");
	else
		buf[0] = '\0';
}

/* The CPU's line of /proc/stat: user nice system idle iowait irq softirq steal. */
static bool parse_times(const char *line, u64 *stolen, u64 *total)
{
	u64 t[8] = { 0 };
	int i;

	if (sscanf(line, "%*s %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2],
		   &t[3], &t[4], &t[5], &t[6], &t[7]) != 8)
		return false;

	*stolen = t[7];
	for (i = 0, *total = 0; i < 8; i++)
		*total += t[i];
	return true;
}

static bool read_times(int cpu, u64 *stolen, u64 *total)
{
	FILE *file = fopen("/proc/stat", "re");
	char name[32], line[256];
	bool found = false;

	if (!file)
		return false;

	snprintf(name, sizeof(name), "cpu%d ", cpu);
	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, name, strlen(name)) && parse_times(line, stolen, total);
	fclose(file);
	return found;
}

void machine_warn(struct machine *machine, const char *fmt, ...)
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
	machine->cpu = cpu;
	if (!read_times(cpu, &machine->stolen, &machine->total))
		machine->total = 0;

	if (machine->governor[0] && strcmp(machine->governor, "performance"))
		machine_warn(machine,
			     "frequency scaling: the governor of CPU %d is %s: choose performance",
			     cpu, machine->governor);
	if (machine->smt > 0)
		machine_warn(machine,
			     "SMT is on: a sibling of CPU %d may take its time: keep it idle", cpu);
	if (!strcmp(accel, "tcg"))
		machine_warn(machine,
			     "the CPU is emulated (TCG): only ratios mean something, and those not what they would mean on hardware");
	else if (machine->hypervisor[0])
		machine_warn(machine, "a virtual machine (%.100s): times include its host's",
			     machine->hypervisor);
}

void machine_end(struct machine *machine)
{
	u64 stolen, total;

	if (!machine->total || !read_times(machine->cpu, &stolen, &total) ||
	    total == machine->total)
		return;

	machine->steal_percent = (stolen - machine->stolen) * 100.0 / (total - machine->total);
	if (machine->steal_percent > MAX_STEAL)
		machine_warn(machine,
			     "%.1f %% of the time of CPU %d was given to others: measure again",
			     machine->steal_percent, machine->cpu);
}
