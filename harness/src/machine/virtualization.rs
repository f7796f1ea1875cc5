//! Virtualization: whether a hypervisor or an emulator is below, and which.

use super::{cpu, text};

/// What is said if no sign of a hypervisor was found, which is not the same as none there.
pub(super) const NONE_SEEN: &str = "none seen";

/// What is said if every instruction is emulated.
pub const EMULATION: &str = "QEMU emulation (TCG)";

/// The hypervisor or emulator below, such as `KVM guest (QEMU Standard PC)`.
pub(super) fn accelerator(cpuinfo: &str) -> String {
    let dmi = ["sys_vendor", "product_name"].map(|name| text(format!("/sys/class/dmi/id/{name}")));
    let flagged = cpu::has_hypervisor_flag(cpuinfo);
    // The leaf means something else, or nothing, on a processor that does not say it is a guest's.
    named(flagged, if flagged { signature() } else { None }.as_deref(), &dmi)
}

fn named(flagged: bool, signature: Option<&str>, dmi: &[Option<String>; 2]) -> String {
    let mut product = dmi.iter().flatten().map(|text| text.trim()).filter(|text| !text.is_empty());
    let product = [product.next(), product.next()].into_iter().flatten().collect::<Vec<_>>();
    let product = product.join(" ");
    let virtual_product = ["QEMU", "KVM", "VMware", "VirtualBox", "Virtual Machine", "Firecracker"]
        .iter()
        .any(|name| product.contains(name));
    if !flagged && !virtual_product {
        return NONE_SEEN.to_owned();
    }
    let kind = match signature {
        Some("KVMKVMKVM") => "KVM guest",
        Some("TCGTCGTCGTCG") => EMULATION,
        Some("Microsoft Hv") => "Hyper-V guest",
        Some("VMwareVMware") => "VMware guest",
        Some("XenVMMXenVMM") => "Xen guest",
        Some("VBoxVBoxVBox") => "VirtualBox guest",
        _ => "virtual machine",
    };
    if product.is_empty() { kind.to_owned() } else { format!("{kind} ({product})") }
}

/// The name by which the hypervisor calls itself: twelve bytes of CPUID leaf 0x40000000.
#[cfg(target_arch = "x86_64")]
fn signature() -> Option<String> {
    let leaf = std::arch::x86_64::__cpuid(0x4000_0000);
    let bytes = [leaf.ebx, leaf.ecx, leaf.edx].map(u32::to_le_bytes).concat();
    String::from_utf8(bytes).ok().map(|text| text.trim_end_matches('\0').to_owned())
}

/// Only x86 has the leaf.
#[cfg(not(target_arch = "x86_64"))]
fn signature() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dmi(vendor: &str, product: &str) -> [Option<String>; 2] {
        [vendor, product].map(|text| Some(format!("{text}\n")))
    }

    #[test]
    fn a_guest_is_named_by_its_hypervisor_and_its_product() {
        let none = [None, None];
        assert_eq!(named(true, Some("KVMKVMKVM"), &none), "KVM guest");
        assert_eq!(named(true, Some("TCGTCGTCGTCG"), &none), "QEMU emulation (TCG)");
        assert_eq!(named(true, Some("?"), &none), "virtual machine");
        let qemu = dmi("QEMU", "Standard PC (Q35 + ICH9, 2009)");
        assert_eq!(
            named(true, Some("KVMKVMKVM"), &qemu),
            "KVM guest (QEMU Standard PC (Q35 + ICH9, 2009))"
        );
    }

    #[test]
    fn a_guest_without_the_flag_is_known_by_its_product() {
        assert_eq!(named(false, None, &dmi("QEMU", "")), "virtual machine (QEMU)");
    }

    #[test]
    fn real_hardware_shows_no_sign() {
        assert_eq!(named(false, None, &dmi("Example Corp.", "Laptop 5")), "none seen");
        assert_eq!(named(false, None, &[None, None]), "none seen");
    }
}
