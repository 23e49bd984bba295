/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host bridge of QEMU's machine "virt" once more, with a _DSM that asks for the
 * addresses of firmware to be kept. QEMU's own has a _DSM already, which no other table
 * can replace, so it is hidden. Its interrupt links are hidden with it: there is no INTx.
 */
DefinitionBlock ("", "SSDT", 2, "SUBPGE", "KEEPADDR", 1)
{
	External (\_SB.PCI0, DeviceObj)
	External (\_SB.PCI0._CRS, BuffObj)
	External (\_SB.PCI0._OSC, MethodObj)
	External (\_SB.PCI0.RES0._CRS, BuffObj)

	Scope (\_SB.PCI0) {
		Name (_STA, 0)
	}

	Device (\_SB.PCIK) {
		Name (_HID, "PNP0A08")
		Name (_CID, "PNP0A03")
		Name (_UID, 1)
		Name (_SEG, 0)
		Name (_BBN, 0)
		Name (_CCA, 1)
		Method (_CRS) { Return (\_SB.PCI0._CRS) }
		Method (_OSC, 4) { Return (\_SB.PCI0._OSC (Arg0, Arg1, Arg2, Arg3)) }

		Method (_DSM, 4) {
			If (Arg0 == ToUUID ("E5C937D0-3553-4D7A-9117-EA4D19C3434D")) {
				/* Functions 0 and 5; 0 of 5: nothing may be assigned anew */
				If (Arg2 == 0) { Return (Buffer () { 0x21 }) }
				If (Arg2 == 5) { Return (0) }
			}
			Return (Buffer () { 0 })
		}

		/* Configuration space */
		Device (RES0) {
			Name (_HID, "PNP0C02")
			Method (_CRS) { Return (\_SB.PCI0.RES0._CRS) }
		}
	}
}
