//! What helps where KMS denies an update of a function to the caller.

use crate::cloud::Refusal;

/// The hints, where the refusal is KMS's: the action and the key, as far as AWS names them.
///
/// The answer is a denial in IAM's words, or one of Lambda's own that quotes KMS.
pub(super) fn advice(refusal: &Refusal) -> Option<Vec<String>> {
    let said = refusal.message.as_str();
    let denied = said.contains("not authorized to perform: kms:") || said.contains("KMS access was denied");
    if refusal.operation != "lambda:UpdateFunctionConfiguration" || !denied {
        return None;
    }
    let after = |mark: &str| {
        let word = said.split_once(mark)?.1.split_whitespace().next()?;
        Some(word.trim_end_matches(['.', ',', ';']))
    };
    let action = after("not authorized to perform: ").unwrap_or("kms:CreateGrant and kms:Encrypt");
    let key = after("on resource: ").filter(|arn| arn.contains(":kms:")).unwrap_or("the function's key");
    Some(vec![
        format!(
            "Allow {action} on {key} to these credentials, in a policy of theirs or in the key's: the function's variables are \
             encrypted with it."
        ),
        "To see all that such functions need: permissions --for up --with encrypted-variables.".to_owned(),
    ])
}
