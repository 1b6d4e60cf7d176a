//! The permissions that Service Quotas's calls need.

use std::collections::BTreeMap;

use crate::account::{Call, Need, World};
use crate::input;

/// The permissions that the call needs.
pub(crate) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let action = call.action.as_str();
    let service = input::text(&call.input, "ServiceCode").unwrap_or("*");
    let mut context = BTreeMap::new();
    let resource = if action == "GetServiceQuota" {
        context.insert("servicequotas:service".to_owned(), vec![service.to_owned()]);
        let code = input::text(&call.input, "QuotaCode").unwrap_or("*");
        world.arn("servicequotas", &format!("{service}/{code}"))
    } else {
        "*".to_owned()
    };
    vec![Need { action: format!("servicequotas:{action}"), resource, context }]
}
