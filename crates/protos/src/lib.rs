//! The contract between the services: generated messages, gRPC clients and servers.
//!
//! Sources are in `proto/`. Every message also has its proto3 JSON form (serde), which is what
//! events are published as. [`FILE_DESCRIPTOR_SET`] is what the reflection service answers from.
#![allow(missing_docs, clippy::all, unreachable_pub, reason = "generated code")]

macro_rules! package {
    ($service:ident, $package:literal) => {
        pub mod $service {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/", $package, ".rs"));
                include!(concat!(env!("OUT_DIR"), "/", $package, ".serde.rs"));
            }
        }
    };
}

package!(common, "filmstrip.common.v1");
package!(asset, "filmstrip.asset.v1");
package!(job, "filmstrip.job.v1");
package!(render, "filmstrip.render.v1");
package!(stitch, "filmstrip.stitch.v1");
package!(audio, "filmstrip.audio.v1");

/// The encoded `FileDescriptorSet` of everything in `proto/`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/filmstrip.descriptors"));
