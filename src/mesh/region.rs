//! The providers' regions.

use crate::spec::model::Provider;

/// OCI: the short name that the OKE example takes, and the identifier (the example's table of
/// regions, from Oracle's "Regions and Availability Domains").
const OKE: [(&str, &str); 49] = [
    ("abudhabi", "me-abudhabi-1"),
    ("amsterdam", "eu-amsterdam-1"),
    ("ashburn", "us-ashburn-1"),
    ("au-gov-cbr", "ap-dcc-canberra-1"),
    ("batam", "ap-batam-1"),
    ("bogota", "sa-bogota-1"),
    ("chicago", "us-chicago-1"),
    ("chuncheon", "ap-chuncheon-1"),
    ("dubai", "me-dubai-1"),
    ("frankfurt", "eu-frankfurt-1"),
    ("hyderabad", "ap-hyderabad-1"),
    ("jeddah", "me-jeddah-1"),
    ("jerusalem", "il-jerusalem-1"),
    ("johannesburg", "af-johannesburg-1"),
    ("london", "uk-london-1"),
    ("madrid", "eu-madrid-1"),
    ("marseille", "eu-marseille-1"),
    ("melbourne", "ap-melbourne-1"),
    ("milan", "eu-milan-1"),
    ("monterrey", "mx-monterrey-1"),
    ("montreal", "ca-montreal-1"),
    ("mumbai", "ap-mumbai-1"),
    ("newport", "uk-cardiff-1"),
    ("osaka", "ap-osaka-1"),
    ("paris", "eu-paris-1"),
    ("phoenix", "us-phoenix-1"),
    ("queretaro", "mx-queretaro-1"),
    ("riyadh", "me-riyadh-1"),
    ("sanjose", "us-sanjose-1"),
    ("santiago", "sa-santiago-1"),
    ("saopaulo", "sa-saopaulo-1"),
    ("saupaulo", "sa-saopaulo-1"),
    ("seoul", "ap-seoul-1"),
    ("singapore", "ap-singapore-1"),
    ("stockholm", "eu-stockholm-1"),
    ("sydney", "ap-sydney-1"),
    ("tokyo", "ap-tokyo-1"),
    ("toronto", "ca-toronto-1"),
    ("turin", "eu-turin-1"),
    ("uk-gov-south", "uk-gov-london-1"),
    ("uk-gov-west", "uk-gov-cardiff-1"),
    ("us-dod-east", "us-gov-ashburn-1"),
    ("us-dod-north", "us-gov-chicago-1"),
    ("us-dod-west", "us-gov-phoenix-1"),
    ("us-gov-ashburn", "us-langley-1"),
    ("us-gov-phoenix", "us-luke-1"),
    ("valparaiso", "sa-valparaiso-1"),
    ("vinhedo", "sa-vinhedo-1"),
    ("zurich", "eu-zurich-1"),
];

const EKS: &str = "af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 \
    ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 \
    ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1 cn-north-1 cn-northwest-1 eu-central-1 \
    eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 \
    me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-gov-east-1 us-gov-west-1 \
    us-west-1 us-west-2";

const GKE: &str = "africa-south1 asia-east1 asia-east2 asia-northeast1 asia-northeast2 asia-northeast3 \
    asia-south1 asia-south2 asia-southeast1 asia-southeast2 australia-southeast1 \
    australia-southeast2 europe-central2 europe-north1 europe-north2 europe-southwest1 europe-west1 \
    europe-west10 europe-west12 europe-west2 europe-west3 europe-west4 europe-west6 europe-west8 \
    europe-west9 me-central1 me-central2 me-west1 northamerica-northeast1 northamerica-northeast2 \
    northamerica-south1 southamerica-east1 southamerica-west1 us-central1 us-east1 us-east4 us-east5 \
    us-south1 us-west1 us-west2 us-west3 us-west4";

const AKS: &str = "australiacentral australiaeast australiasoutheast austriaeast belgiumcentral \
    brazilsouth canadacentral canadaeast centralindia centralus chilecentral eastasia eastus eastus2 \
    francecentral germanywestcentral indonesiacentral israelcentral italynorth japaneast japanwest \
    koreacentral koreasouth malaysiawest mexicocentral newzealandnorth northcentralus northeurope \
    norwayeast polandcentral qatarcentral southafricanorth southcentralus southeastasia southindia \
    spaincentral swedencentral switzerlandnorth uaenorth uksouth ukwest usgovarizona usgovtexas \
    usgovvirginia westcentralus westeurope westindia westus westus2 westus3";

/// Whether a provider has a region. A provider without a table has every region.
pub fn is_known(provider: Provider, region: &str) -> bool {
    match provider {
        Provider::Kubernetes => true,
        _ => all(provider).contains(&region),
    }
}

/// Every name of a region that a provider's clusters may use.
pub fn all(provider: Provider) -> Vec<&'static str> {
    match provider {
        Provider::Oke => OKE.iter().flat_map(|(short, identifier)| [*short, *identifier]).collect(),
        Provider::Eks => EKS.split_whitespace().collect(),
        Provider::Gke => GKE.split_whitespace().collect(),
        Provider::Aks => AKS.split_whitespace().collect(),
        Provider::Kubernetes => Vec::new(),
    }
}

/// The short name of an OCI region, which the OKE example's variables take: `ap-sydney-1` and
/// `sydney` are both `sydney`. A region that is not in the table stays as it is.
pub fn oke_short(region: &str) -> &str {
    OKE.iter().find(|(_, identifier)| *identifier == region).map_or(region, |(short, _)| short)
}
