#!/bin/sh
. /guest/lib.sh
modprobe vfio_pci_subpage
cat /sys/kernel/debug/kunit/*/results
finish
