import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0003_append_only_model_prices'),
        ('usage', '0004_fill_grants_and_history'),
    ]

    operations = [
        migrations.AddField(
            model_name='usageledger',
            name='cache_write_tokens',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='usageledger',
            name='cached_input_tokens',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='usageledger',
            name='cost_currency',
            field=models.CharField(blank=True, max_length=3),
        ),
        migrations.AddField(
            model_name='usageledger',
            name='image_input_tokens',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='usageledger',
            name='model_price',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.modelprice'),
        ),
        migrations.AddField(
            model_name='usageledger',
            name='reasoning_tokens',
            field=models.BigIntegerField(default=0),
        ),
    ]
