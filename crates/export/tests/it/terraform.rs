//! What the configuration of a known stack says.

use export::{File, terraform};

use crate::sample;

fn file<'a>(files: &'a [File], name: &str) -> &'a str {
    &files.iter().find(|file| file.name == name).unwrap().text
}

#[test]
fn each_type_is_imported_by_the_id_that_its_documentation_states() {
    let files = terraform(&sample::whole()).unwrap();
    let imports = file(&files, "imports.tf");
    let connect =
        "arn:aws:iam::123456789012:policy/rdsproxy-setup/eu-central-1/orders-proxy/orders-proxy-eu-central-1-connect";
    for (to, id) in [
        ("aws_db_proxy.proxy", "orders-proxy"),
        ("aws_db_proxy_default_target_group.proxy", "orders-proxy"),
        ("aws_db_proxy_target.database", "orders-proxy/default/TRACKED_CLUSTER/orders"),
        ("aws_db_proxy_endpoint.reader", "orders-proxy/orders-proxy-ro"),
        ("aws_cloudwatch_log_group.proxy", "/aws/rds/proxy/orders-proxy"),
        ("aws_iam_role.proxy", "orders-proxy-eu-central-1"),
        ("aws_iam_role_policy.read_secrets", "orders-proxy-eu-central-1:read-secrets"),
        ("aws_security_group.proxy", "sg-0a0a0a0a0a0a0a0a1"),
        ("aws_vpc_security_group_ingress_rule.sg_0a0a0a0a0a0a0a0a2_from_proxy", "sgr-1"),
        ("aws_vpc_security_group_ingress_rule.proxy_from_sg_0a0a0a0a0a0a0a0a3", "sgr-2"),
        ("aws_vpc_security_group_egress_rule.proxy_out", "sgr-3"),
        ("aws_iam_policy.connect", connect),
        ("aws_iam_role_policy_attachment.connect_of_orders_role", &format!("orders-role/{connect}")),
    ] {
        let wanted = format!("  to = {to}\n  id = \"{id}\"\n");
        assert!(imports.contains(&wanted), "{wanted}\n{imports}");
    }
    let instance = terraform(&sample::least()).unwrap();
    assert!(file(&instance, "imports.tf").contains("\"orders-proxy/default/RDS_INSTANCE/orders\""));
}

#[test]
fn what_is_ours_is_referred_to_and_what_is_not_is_read() {
    let files = terraform(&sample::whole()).unwrap();
    assert!(
        file(&files, "proxy.tf")
            .contains("secret_arn  = aws_secretsmanager_secret.rdsproxy_setup_orders_proxy_app.arn")
    );
    assert!(file(&files, "proxy.tf").contains("secret_arn  = data.aws_secretsmanager_secret.rds_cluster_1_xyz123.arn"));
    assert!(file(&files, "connect.tf").contains("dbuser:${local.proxy_id}/app\""));
    assert!(file(&files, "network.tf").contains("= data.aws_security_group.sg_0a0a0a0a0a0a0a0a2.id"));
    for resource in ["aws_db_instance", "aws_rds_cluster", "aws_lambda_function"] {
        assert!(
            files
                .iter()
                .filter(|file| file.name != "README.md" && file.name != "functions.tf.txt")
                .all(|file| !file.text.contains(&format!("resource \"{resource}\"")))
        );
    }
}

#[test]
fn nothing_sets_a_secret_value() {
    for file in terraform(&sample::whole()).unwrap() {
        assert!(
            !file.text.contains("secret_string") && !file.text.contains("aws_secretsmanager_secret_version"),
            "{}",
            file.name
        );
    }
}

#[test]
fn variables_with_more_than_a_host_are_named_and_not_written() {
    let files = terraform(&sample::whole()).unwrap();
    let snippet = file(&files, "functions.tf.txt");
    assert!(
        snippet.contains(
            "# DATABASE_URL: holds more than a host; keep it, with ${aws_db_proxy.proxy.endpoint} as its host."
        )
    );
    assert!(
        snippet.contains("DB_PORT   = \"5432\"")
            && snippet.contains("DB_READER = aws_db_proxy_endpoint.reader.endpoint")
    );
}

#[test]
fn a_stack_without_connect_policies_has_no_file_for_them() {
    let files = terraform(&sample::least()).unwrap();
    let names: Vec<&str> = files.iter().map(|file| file.name).collect();
    let wanted =
        ["versions.tf", "variables.tf", "data.tf", "proxy.tf", "network.tf", "outputs.tf", "imports.tf", "README.md"];
    assert_eq!(names, wanted);
    assert!(file(&files, "data.tf").contains("data \"aws_iam_role\" \"proxy\""));
    assert!(file(&files, "README.md").contains("- The role is an administrator's.\n"));
    assert!(file(&files, "README.md").contains("0 to add, 0 to change, 0 to destroy"));
}
