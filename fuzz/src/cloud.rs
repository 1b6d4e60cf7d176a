//! What the included files take from the AWS clients: the product's own tags, and copies of three types with no more
//! than is read.

#[path = "../../crates/cloud/src/tags.rs"]
pub mod tags;

pub use tags::Tags;

/// Of Lambda.
pub mod lambda {
    use std::collections::BTreeMap;

    /// A function's environment variables.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct Variables(pub BTreeMap<String, String>);

    /// A function.
    #[derive(Debug)]
    pub struct Function {
        /// The name.
        pub name: String,
        /// The environment variables.
        pub variables: Variables,
    }
}

/// Of RDS.
pub mod rds {
    /// What a proxy speaks to its clients.
    #[derive(Debug, Clone, Copy)]
    pub struct EngineFamily(
        /// The port that a proxy of this family listens on.
        pub u16,
    );

    impl EngineFamily {
        /// The port that a proxy of this family listens on.
        #[must_use]
        pub fn proxy_port(self) -> u16 {
            self.0
        }
    }
}
