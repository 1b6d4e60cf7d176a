//! Listings that end, whatever the server says.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_smithy_async::future::pagination_stream::PaginationStream;
use aws_smithy_runtime_api::client::result::SdkError;

use super::cause::Cause;

/// Pages of one listing: 50,000 functions, or 100,000 roles.
const PAGES: usize = 1_000;
/// Bytes of one listing. The 75 GB of code that an account may hold are some 10 MB of versions.
const BYTES: u64 = 32 * 1024 * 1024;

/// Bytes of all answers so far.
static RECEIVED: AtomicU64 = AtomicU64::new(0);

/// Counts an answer.
pub(super) fn received(bytes: usize) {
    RECEIVED.fetch_add(bytes as u64, Ordering::Relaxed);
}

/// A page that may name the next one.
pub(super) trait Page {
    /// The token of the next page.
    fn next(&self) -> Option<&str>;
}

macro_rules! pages {
    ($($field:ident: $($service:ident::$operation:ident::$output:ident),+;)+) => {
        $($(impl Page for $service::operation::$operation::$output {
            fn next(&self) -> Option<&str> {
                self.$field.as_deref()
            }
        })+)+
    };
}

pages! {
    next_token:
        aws_sdk_cloudwatch::get_metric_data::GetMetricDataOutput,
        aws_sdk_cloudwatch::describe_alarms::DescribeAlarmsOutput,
        aws_sdk_cloudwatch::list_metrics::ListMetricsOutput,
        aws_sdk_pricing::get_products::GetProductsOutput,
        aws_sdk_cloudwatchlogs::describe_log_groups::DescribeLogGroupsOutput,
        aws_sdk_ec2::describe_route_tables::DescribeRouteTablesOutput,
        aws_sdk_ec2::describe_security_groups::DescribeSecurityGroupsOutput,
        aws_sdk_ec2::describe_subnets::DescribeSubnetsOutput,
        aws_sdk_ec2::describe_network_interfaces::DescribeNetworkInterfacesOutput,
        aws_sdk_ec2::describe_security_group_rules::DescribeSecurityGroupRulesOutput,
        aws_sdk_secretsmanager::list_secrets::ListSecretsOutput;
    next_marker:
        aws_sdk_lambda::list_functions::ListFunctionsOutput,
        aws_sdk_lambda::list_versions_by_function::ListVersionsByFunctionOutput,
        aws_sdk_lambda::list_aliases::ListAliasesOutput,
        aws_sdk_lambda::list_event_source_mappings::ListEventSourceMappingsOutput,
        aws_sdk_lambda::list_provisioned_concurrency_configs::ListProvisionedConcurrencyConfigsOutput;
    marker:
        aws_sdk_rds::describe_db_instances::DescribeDbInstancesOutput,
        aws_sdk_rds::describe_db_clusters::DescribeDbClustersOutput,
        aws_sdk_rds::describe_db_proxies::DescribeDbProxiesOutput,
        aws_sdk_rds::describe_db_proxy_endpoints::DescribeDbProxyEndpointsOutput,
        aws_sdk_rds::describe_db_parameters::DescribeDbParametersOutput,
        aws_sdk_rds::describe_db_cluster_parameters::DescribeDbClusterParametersOutput,
        aws_sdk_iam::list_policies::ListPoliciesOutput,
        aws_sdk_iam::list_roles::ListRolesOutput,
        aws_sdk_iam::list_entities_for_policy::ListEntitiesForPolicyOutput,
        aws_sdk_iam::simulate_principal_policy::SimulatePrincipalPolicyOutput;
}

/// A listing with an end.
pub(super) struct Capped<Page> {
    pages: PaginationStream<Page>,
    turned: usize,
    began: u64,
    /// The token that the last page named.
    token: Option<String>,
}

/// Gives a listing an end.
pub(super) fn capped<Page>(pages: PaginationStream<Page>) -> Capped<Page> {
    Capped { pages, turned: 0, began: RECEIVED.load(Ordering::Relaxed), token: None }
}

impl<T: Page, E, R> Capped<Result<T, SdkError<E, R>>> {
    /// The next page, or that there are too many.
    pub(super) async fn next(&mut self) -> Option<Result<T, SdkError<E, R>>> {
        if self.turned > PAGES {
            return None;
        }
        let page = self.pages.next().await?;
        self.turned += 1;
        // Whatever else is read meanwhile counts as well; it is a small part of the limit.
        let bytes = RECEIVED.load(Ordering::Relaxed).saturating_sub(self.began);
        let Ok(read) = &page else { return Some(page) };
        let token = read.next().filter(|token| !token.is_empty()).map(str::to_owned);
        // The SDK takes a repeated token for the end of the listing, and says nothing.
        let repeated = token.is_some() && token == self.token;
        self.token = token;
        if repeated || self.turned > PAGES || bytes > BYTES {
            let cause = if repeated { Cause::RepeatedPage } else { Cause::TooManyPages { pages: self.turned } };
            self.turned = PAGES + 1;
            return Some(Err(SdkError::construction_failure(cause)));
        }
        Some(page)
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_async::future::pagination_stream::fn_stream::FnStream;

    use super::*;

    struct Numbered(String);

    impl Page for Numbered {
        fn next(&self) -> Option<&str> {
            Some(&self.0)
        }
    }

    async fn turned(token: impl Fn(usize) -> usize + Send + 'static) -> (usize, Option<Cause>) {
        let endless = PaginationStream::new(FnStream::new(|pages| {
            Box::pin(async move {
                let mut number = 0;
                while pages.send(Ok::<_, SdkError<Cause, ()>>(Numbered(token(number).to_string()))).await.is_ok() {
                    number += 1;
                }
            })
        }));
        let (mut pages, mut turned) = (capped(endless), 0);
        let last = loop {
            match pages.next().await {
                Some(Ok(_)) => turned += 1,
                Some(Err(error)) => break crate::error::find::<Cause, _>(&error).cloned(),
                None => break None,
            }
        };
        assert!(pages.next().await.is_none());
        (turned, last)
    }

    #[tokio::test]
    async fn a_listing_without_end_ends_with_an_error() {
        assert_eq!(turned(|number| number).await, (PAGES, Some(Cause::TooManyPages { pages: PAGES + 1 })));
    }

    #[tokio::test]
    async fn a_repeated_token_is_an_error_and_not_the_end_of_the_listing() {
        assert_eq!(turned(|_| 7).await, (1, Some(Cause::RepeatedPage)));
    }
}
