//! The account that a newcomer meets: two databases that functions reach directly, one that no proxy
//! can serve, and functions that use none of them.

mod databases;
mod functions;
mod network;

use super::account::World;
use super::kms::Key;

impl World {
    /// The account that `--sandbox` starts with.
    #[must_use]
    pub fn newcomer() -> Self {
        let mut world = Self::empty();
        Key::aws_managed(&mut world, "secretsmanager");
        let network = network::lay(&mut world);
        let databases = databases::put(&mut world, &network);
        functions::deploy(&mut world, &network, &databases);
        world
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newcomers_account_is_the_same_every_time() {
        assert_eq!(World::newcomer().dump(), World::newcomer().dump());
    }

    #[test]
    fn a_dump_holds_no_clock_and_no_secret() {
        let text = World::newcomer().dump()["secrets"].to_string();
        assert!(!text.contains("password"), "{text}");
        assert!(!World::newcomer().dump().to_string().contains("moment:"));
    }
}
