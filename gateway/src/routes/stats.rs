//! What clients and campaigns have: campaigns, videos, and money spent.

use axum::extract::State;
use protos::{asset::v1 as asset, job::v1 as pb};
use serde::Serialize;
use utoipa::ToSchema;

use super::{reply::Reply, text};
use crate::{
    app::App,
    params::InPath,
    problem::{CAMPAIGNS, CLIENTS, Problem, ProblemSchema, Resource},
};

/// What a client has.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientStatsReply {
    data: ClientStats,
}

/// What a client has.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClientStats {
    campaign_count: u64,
    /// Jobs that were made for it, in any status.
    video_count: u64,
    /// What the providers charged for them so far, USD.
    total_spend: f64,
}

/// What a campaign has.
#[derive(Serialize, ToSchema)]
pub(crate) struct CampaignStatsReply {
    data: CampaignStats,
}

/// What a campaign has.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CampaignStats {
    /// Its jobs, in any status.
    video_count: u64,
    /// What the providers charged for them so far, USD.
    total_spend: f64,
    /// Of a job that has cost something, USD.
    avg_cost: f64,
}

/// Sums up a client.
#[utoipa::path(
    get, path = "/api/v3/clients/{id}/stats", tag = "Clients", operation_id = "get_client_stats",
    params(("id" = String, Path, description = "Client id")),
    responses(
        (status = 200, description = "Its campaigns, videos and spend", body = ClientStatsReply),
        (status = 404, description = "Client not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn of_client(
    State(app): State<App>,
    InPath(id): InPath<String>,
) -> Result<Reply<ClientStatsReply>, Problem> {
    let found = app.backends.asset().get_client(asset::GetClientRequest { id: id.clone() }).await;
    found.map_err(|status| CLIENTS.problem(status))?;
    let request = asset::ListCampaignsRequest { client_id: Some(id.clone()), limit: 1, ..Default::default() };
    let campaigns = app.backends.asset().list_campaigns(request).await;
    let campaigns = campaigns.map_err(|status| CLIENTS.problem(status))?.into_inner();
    // Over the jobs that were made for it, also those of campaigns that are gone, or another client's now.
    let spend = spend(&app, Vec::new(), Some(id), CLIENTS).await?;
    Ok(Reply::ok(ClientStatsReply {
        data: ClientStats {
            campaign_count: campaigns.total,
            video_count: spend.jobs,
            total_spend: text::dollars(spend.spent_micros),
        },
    }))
}

/// Sums up a campaign.
#[utoipa::path(
    get, path = "/api/v3/campaigns/{id}/stats", tag = "Campaigns", operation_id = "get_campaign_stats",
    params(("id" = String, Path, description = "Campaign id")),
    responses(
        (status = 200, description = "Its videos and spend", body = CampaignStatsReply),
        (status = 404, description = "Campaign not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn of_campaign(
    State(app): State<App>,
    InPath(id): InPath<String>,
) -> Result<Reply<CampaignStatsReply>, Problem> {
    let found = app.backends.asset().get_campaign(asset::GetCampaignRequest { id: id.clone() }).await;
    found.map_err(|status| CAMPAIGNS.problem(status))?;
    let spend = spend(&app, vec![id], None, CAMPAIGNS).await?;
    Ok(Reply::ok(CampaignStatsReply {
        data: CampaignStats {
            video_count: spend.jobs,
            total_spend: text::dollars(spend.spent_micros),
            avg_cost: average(&spend),
        },
    }))
}

async fn spend(
    app: &App,
    campaign_ids: Vec<String>,
    client_id: Option<String>,
    of: Resource,
) -> Result<pb::Spend, Problem> {
    let request = pb::GetSpendRequest { campaign_ids, client_id };
    let spend = app.backends.job().get_spend(request).await;
    Ok(spend.map_err(|status| of.problem(status))?.into_inner())
}

/// Over the jobs that have cost something: those that wait for approval say nothing of what a video costs.
fn average(spend: &pb::Spend) -> f64 {
    match i64::try_from(spend.paid_jobs) {
        Ok(paid) if paid > 0 => text::dollars(spend.spent_micros / paid),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_is_over_jobs_that_cost_something() {
        let spend = |paid_jobs, spent_micros| pb::Spend { jobs: 9, paid_jobs, spent_micros };
        assert_eq!(average(&spend(0, 0)), 0.0);
        assert_eq!(average(&spend(3, 10_000_000)), 3.33);
        assert_eq!(serde_json::json!(average(&spend(2, 2_000_000))).to_string(), "1.0");
    }
}
