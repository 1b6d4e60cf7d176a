//! Variations of an account.

use sandbox::World;

/// Changes an account in as many ways as there are bits.
pub(crate) fn vary(world: &mut World, bits: u64, number: u32) {
    let mut at = 0;
    let mut on = || {
        at += 1;
        bits.rotate_right(at) & 1 == 1
    };
    let secret = world.secrets.secrets["my-cluster/app"].arn.clone();
    for instance in world.rds.instances.values_mut() {
        instance.iam_auth = on();
        instance.port = if on() { instance.port } else { 7_777 };
        let word = if on() { "available" } else { "stopped" };
        word.clone_into(&mut instance.status);
        let word = if on() { "DUAL" } else { "IPV4" };
        word.clone_into(&mut instance.network_type);
        instance.replica_of = on().then(|| "my-instance".to_owned());
        instance.database = if on() { None } else { instance.database.take() };
        let word = if on() { "in-sync" } else { "pending-reboot" };
        word.clone_into(&mut instance.parameter_status);
        instance.groups.truncate(usize::from(on()));
    }
    for cluster in world.rds.clusters.values_mut() {
        cluster.iam_auth = on();
        cluster.serverless = on().then_some((number % 10 * 5, number));
        cluster.class = on().then(|| "db.r6gd.large".to_owned());
        cluster.replica_of = on().then(|| "arn:aws:rds:us-east-1:123456789012:cluster:source".to_owned());
        cluster.members.reverse();
        cluster.master_secret = on().then(|| secret.clone());
        if on() {
            cluster.custom_endpoints.clear();
        }
    }
    for proxy in world.rds.proxies.values_mut() {
        proxy.debug_logging = on();
        proxy.auth.truncate(usize::from(on()));
        let word = if on() { "IAM_AUTH" } else { "NONE" };
        word.clone_into(&mut proxy.default_auth_scheme);
        proxy.idle_client_timeout = number.into();
        if on() {
            proxy.target_group.target = None;
        }
    }
    if on() {
        world.rds.endpoints.clear();
        world.ec2.interfaces.retain(|_, interface| !interface.owner.starts_with("db-proxy-endpoint:"));
    }
    for function in world.lambda.functions.values_mut() {
        function.latest.timeout = number;
        function.latest.snap_start = on();
        if on() {
            function.latest.vpc = None;
        }
        if on() {
            function.aliases.clear();
            function.provisioned.clear();
        }
    }
    for secret in world.secrets.secrets.values_mut() {
        secret.rotation = on();
        secret.rotated_by = secret.rotation.then(|| "arn:aws:lambda:eu-central-1:123456789012:function:r".to_owned());
    }
    for group in world.ec2.groups.values_mut() {
        if on() {
            group.rules.clear();
        }
    }
    for role in world.iam.roles.values_mut() {
        if on() {
            role.attached.clear();
        }
        role.max_session = 3_600 + number;
    }
    // Variables under a key that is disabled cannot be read.
    for key in world.kms.keys.values_mut().filter(|key| key.aws_managed) {
        key.enabled = on();
    }
    for subnet in world.ec2.subnets.values_mut() {
        subnet.ipv6_cidr = on().then(|| "2001:db8::/64".to_owned());
    }
    for vpc in world.ec2.vpcs.values_mut() {
        let word = if on() { "dedicated" } else { "default" };
        word.clone_into(&mut vpc.tenancy);
        vpc.encryption = on().then(|| "enforce".to_owned());
    }
}
