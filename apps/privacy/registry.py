"""Every store of personal data, in the order in which they are left: what others point at goes last."""

from apps.accounts import personal_data as accounts
from apps.billing import personal_data as billing
from apps.chat import personal_data as chat
from apps.developer import personal_data as developer
from apps.inference import personal_data as inference
from apps.privacy import personal_data as privacy
from apps.privacy.contracts import PersonalData
from apps.usage import personal_data as usage

STORES: tuple[PersonalData, ...] = (
    chat.Conversations(),
    developer.ApiKeysData(),
    inference.AnswersMade(),
    usage.UsageData(),
    billing.BillingData(),
    privacy.DataRequestsData(),
    accounts.PersonalData(),
)
