== first
-- rows: select * from eav_attribute order by 1; select entity_id, sku, updated_at from catalog_product_entity order by 1; select * from catalog_product_entity_int order by 1
create table eav_attribute (attribute_id smallint(5) unsigned not null auto_increment primary key, entity_type_id smallint(5) unsigned not null default 0, attribute_code varchar(255) not null, backend_type varchar(8) not null default 'static', is_required smallint(5) unsigned not null default 0, unique key EAV_TYPE_CODE (entity_type_id, attribute_code)) comment='Eav Attribute';
create table catalog_product_entity (entity_id int(10) unsigned not null auto_increment primary key, sku varchar(64) default null, created_at timestamp not null default current_timestamp(), updated_at timestamp not null default current_timestamp() on update current_timestamp(), key sku (sku)) comment='Product';
create table catalog_product_entity_int (value_id int(11) not null auto_increment primary key, attribute_id smallint(5) unsigned not null default 0, store_id smallint(5) unsigned not null default 0, entity_id int(10) unsigned not null default 0, value int(11) default null, unique key UQ (entity_id, attribute_id, store_id), key A (attribute_id), constraint FK_A foreign key (attribute_id) references eav_attribute (attribute_id) on delete cascade, constraint FK_E foreign key (entity_id) references catalog_product_entity (entity_id) on delete cascade) comment='Product Int';
insert into eav_attribute (entity_type_id,attribute_code) values (4,'color'),(4,'size');
insert into catalog_product_entity (sku,updated_at) values ('s1','2020-01-01'),('s2','2020-01-02');
insert into catalog_product_entity_int (attribute_id,entity_id,value) values (1,1,5),(2,2,null);
== second
-- was: table.catalog_product_entity.columns.row_id entity_id
-- was: table.catalog_product_entity_int.columns.row_id entity_id
-- arrives: select * from eav_attribute order by 1; select row_id, sku, updated_at from catalog_product_entity order by 1; select * from catalog_product_entity_int order by 1
create table eav_attribute (attribute_id int(10) unsigned not null auto_increment primary key, entity_type_id smallint(5) unsigned not null default 0, attribute_code varchar(255) not null, backend_type varchar(20) not null default 'static', is_required tinyint(1) not null default 0, unique key EAV_CODE (attribute_code, entity_type_id)) comment='Eav Attributes';
create table catalog_product_entity (row_id int(10) unsigned not null auto_increment primary key, sku varchar(64) not null, created_at timestamp not null default current_timestamp(), updated_at timestamp not null default current_timestamp() on update current_timestamp(), key sku (sku)) comment='Product';
create table catalog_product_entity_int (value_id bigint not null auto_increment, attribute_id int(10) unsigned not null default 0, store_id smallint(5) unsigned not null default 0, row_id int(10) unsigned not null default 0, value int(11) default null, primary key (value_id), unique key UQ (row_id, attribute_id, store_id), key A (attribute_id), constraint FK_A foreign key (attribute_id) references eav_attribute (attribute_id) on delete cascade, constraint FK_R foreign key (row_id) references catalog_product_entity (row_id) on delete cascade) comment='Product Int';
insert into eav_attribute (entity_type_id,attribute_code) values (4,'color'),(4,'size');
insert into catalog_product_entity (sku,updated_at) values ('s1','2020-01-01'),('s2','2020-01-02');
insert into catalog_product_entity_int (attribute_id,row_id,value) values (1,1,5),(2,2,null);
