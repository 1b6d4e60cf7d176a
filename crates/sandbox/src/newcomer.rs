//! The sample account: two databases that functions reach directly, one that no proxy
//! can serve, and functions that use none of them.

mod databases;
mod functions;
mod loads;
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
        loads::begin(&mut world);
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
    fn a_dump_loses_nothing_of_what_people_name_themselves() {
        let mut world = World::newcomer();
        let before = world.dump();
        let names = ["events", "force", "former_trust", "id", "next", "published", "revision", "text", "troubled"];
        for name in names {
            let mut function = world.lambda.functions["DBAppFunction"].clone();
            let member = || (name.to_owned(), "moment:7".to_owned());
            function.latest.environment.get_or_insert_default().extend([member()]);
            function.tags.extend([member()]);
            world.lambda.functions.insert("DBAppFunction".to_owned(), function.clone());
            world.lambda.functions.insert(name.to_owned(), function);
        }
        let (dump, functions) = (world.dump(), "/lambda/functions");
        assert_ne!(dump, before);
        for (name, place) in names.iter().flat_map(|name| ["latest/environment", "tags"].map(|place| (name, place))) {
            let value = dump.pointer(&format!("{functions}/{name}/{place}/{name}"));
            assert_eq!(value.and_then(|value| value.as_str()), Some("moment:7"), "{place} {name}");
        }
    }

    #[test]
    fn a_dump_holds_no_clock_and_no_secret() {
        let text = World::newcomer().dump()["secrets"].to_string();
        assert!(!text.contains("password"), "{text}");
        assert!(!World::newcomer().dump().to_string().contains("moment:"));
    }
}
