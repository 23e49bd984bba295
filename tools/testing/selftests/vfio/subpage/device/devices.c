// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "device/devices.h"

static int add_device(struct vfio_devices *devices, const struct pci_device *dev,
		      struct error *err)
{
	struct vfio_device *grown = reallocarray(devices->one, devices->nr + 1, sizeof(*grown));

	if (!grown)
		return error_set(err, "no memory for %s", dev->bdf);

	devices->one = grown;
	devices->one[devices->nr++] = (struct vfio_device) { .dev = dev, .fd = -1 };
	return 0;
}

static int add_named(struct vfio_devices *devices, const char *bdf, struct error *err)
{
	const struct pci_device *dev = sysfs_find_named(devices->scan, bdf, err);

	if (!dev)
		return -1;
	if (!dev->is_vfio)
		return error_set(err,
				 "%s is not bound to VFIO but to %s: bind it to vfio-pci",
				 bdf, dev->driver[0] ? dev->driver : "no driver");

	return add_device(devices, dev, err);
}

int vfio_devices_choose(struct vfio_devices *devices, const struct options *options,
			const struct pci_scan *scan, struct error *err)
{
	size_t i;

	*devices = (struct vfio_devices) { .scan = scan };
	for (i = 0; i < options->nr_bdf; i++)
		if (add_named(devices, options->bdf[i], err))
			return -1;
	if (options->nr_bdf)
		return 0;

	for (i = 0; i < scan->nr; i++)
		if (scan->dev[i].is_vfio && add_device(devices, &scan->dev[i], err))
			return -1;
	return 0;
}

static int choose_backend(struct vfio_device *device, const struct options *options,
			  struct error *err)
{
	if (options->backend)
		device->ops = vfio_backend_choose(&options->backend, 1, device->dev, err);
	else
		device->ops = vfio_backend_choose(vfio_backends, VFIO_NR_BACKENDS,
						  device->dev, err);
	return device->ops ? 0 : -1;
}

static struct vfio_backend *get_backend(struct vfio_devices *devices,
					const struct vfio_backend_ops *ops, struct error *err)
{
	size_t i;

	for (i = 0; vfio_backends[i] != ops; i++)
		;
	if (!devices->backend[i])
		devices->backend[i] = ops->create(ops, err);
	return devices->backend[i];
}

static int attach(struct vfio_devices *devices, struct vfio_device *device,
		  const struct options *options, struct error *err)
{
	if (choose_backend(device, options, err))
		return -1;

	device->backend = get_backend(devices, device->ops, err);
	if (!device->backend)
		return -1;

	return device->ops->attach(device->backend, devices->scan, device->dev, err);
}

int vfio_devices_attach(struct vfio_devices *devices, const struct options *options,
			struct error *err)
{
	size_t i;

	for (i = 0; i < devices->nr; i++)
		if (attach(devices, &devices->one[i], options, err))
			return -1;
	return 0;
}

void vfio_devices_open(struct vfio_devices *devices)
{
	size_t i;

	for (i = 0; i < devices->nr; i++) {
		struct vfio_device *device = &devices->one[i];

		device->fd = device->ops->open(device->backend, devices->scan, device->dev,
					       &device->open_error);
		if (device->fd < 0 || !vfio_device_get_bars(device))
			continue;
		error_set(&device->open_error, "%s: no region info", device->dev->bdf);
		vfio_device_close(device);
	}
}

void vfio_devices_free(struct vfio_devices *devices)
{
	size_t i;

	for (i = 0; i < devices->nr; i++)
		vfio_device_close(&devices->one[i]);
	for (i = 0; i < VFIO_NR_BACKENDS; i++)
		if (devices->backend[i])
			devices->backend[i]->ops->destroy(devices->backend[i]);
	free(devices->one);
	*devices = (struct vfio_devices) { 0 };
}

static bool fits(const struct safe_register *reg, const struct pci_device *dev)
{
	u64 size = sysfs_resource_size(&dev->res[reg->bar]);

	return reg->width <= size && reg->offset <= size - reg->width;
}

static bool is_among(const struct options *options, const char *bdf)
{
	size_t i;

	for (i = 0; i < options->nr_bdf && strcmp(options->bdf[i], bdf); i++)
		;
	return !options->nr_bdf || i < options->nr_bdf;
}

static int check_register(const struct options *options, const struct named_register *named,
			  const struct pci_scan *scan, struct error *err)
{
	const struct pci_device *dev = sysfs_find(scan, named->bdf);

	if (!dev)
		return error_set(err,
				 "--register: %s: there is no such PCI device: lspci -D lists them",
				 named->bdf);
	if (!is_among(options, named->bdf))
		return error_set(err, "--register: %s is not among the devices that are named",
				 named->bdf);
	if (!(dev->res[named->reg.bar].flags & RES_MEM))
		return error_set(err, "--register: %s BAR%u is not a memory BAR", named->bdf,
				 named->reg.bar);
	if (!fits(&named->reg, dev))
		return error_set(err, "--register: %s BAR%u has only 0x%llx bytes, none at 0x%llx",
				 named->bdf, named->reg.bar,
				 sysfs_resource_size(&dev->res[named->reg.bar]),
				 named->reg.offset);
	return 0;
}

int registers_check(const struct options *options, const struct pci_scan *scan,
		    struct error *err)
{
	size_t i;

	for (i = 0; i < options->nr_reg; i++)
		if (check_register(options, &options->reg[i], scan, err))
			return -1;
	return 0;
}

static int named_registers(const struct options *options, const struct pci_device *dev,
			   unsigned int bar, struct register_list *list, struct error *err)
{
	size_t i;

	for (i = 0; i < options->nr_reg; i++)
		if (!strcmp(options->reg[i].bdf, dev->bdf) && options->reg[i].reg.bar == bar &&
		    register_list_add(list, &options->reg[i].reg, err) < 0)
			return -1;
	return 0;
}

int safe_registers(const struct options *options, const struct profile_set *profiles,
		   const struct pci_device *dev, unsigned int bar,
		   struct register_list *list, struct error *err)
{
	size_t nr = 0, i;

	*list = (struct register_list) { 0 };
	if (named_registers(options, dev, bar, list, err) ||
	    profile_set_registers(profiles, dev->vendor, dev->device, dev->class, bar, list,
				  err)) {
		register_list_free(list);
		return -1;
	}

	for (i = 0; i < list->nr; i++)
		if (fits(&list->reg[i], dev))
			list->reg[nr++] = list->reg[i];
	list->nr = nr;
	return 0;
}
