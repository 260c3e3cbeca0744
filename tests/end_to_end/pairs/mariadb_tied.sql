== narrow
-- rows: select item.*, shop.name, part.id, line.id, clerk.id from item join shop on shop.id = shop_id left join part on part.item_id = item.id left join line on line.item_id = item.id left join clerk on clerk.shop_id = shop.id order by 1, 6, 7
create table shop (id int primary key, name varchar(20));
create table clerk (id int auto_increment primary key, shop_id int, foreign key (shop_id) references shop (id) on delete set null);
create table item (id int not null auto_increment, shop_id int not null, up int, n int, primary key (id), constraint of_shop foreign key (shop_id) references shop (id), foreign key (up) references item (id));
create table part (id int auto_increment primary key, item_id int not null, constraint of_item foreign key (item_id) references item (id));
create table line (id int auto_increment primary key, item_id int, foreign key (item_id) references item (id) on delete cascade);
insert into shop values (1, 'a'), (2, 'b'); insert into clerk (shop_id) values (1), (2), (null);
insert into item (shop_id, up, n) values (1, null, 1), (2, 1, 2), (2, 2, 3); insert into part (item_id) values (1), (3); insert into line (item_id) values (1), (2), (null);
== wide
-- rows: select item.*, shop.name, part.id, line.id, clerk.id from item join shop on shop.id = shop_id left join part on part.item_id = item.id left join line on line.item_id = item.id left join clerk on clerk.shop_id = shop.id order by 1, 6, 7
create table shop (id int primary key, name varchar(300));
create table clerk (id int auto_increment primary key, shop_id int, foreign key (shop_id) references shop (id) on delete set null);
create table item (id bigint not null auto_increment, shop_id int not null, up bigint, n bigint, primary key (id), constraint of_shop foreign key (shop_id) references shop (id), foreign key (up) references item (id));
create table part (id int auto_increment primary key, item_id bigint not null, constraint of_item foreign key (item_id) references item (id));
create table line (id int auto_increment primary key, item_id bigint, foreign key (item_id) references item (id) on delete cascade);
insert into shop values (1, 'a'), (2, 'b'); insert into clerk (shop_id) values (1), (2), (null);
insert into item (shop_id, up, n) values (1, null, 1), (2, 1, 2), (2, 2, 3); insert into part (item_id) values (1), (3); insert into line (item_id) values (1), (2), (null);
== other
-- rows: select item.*, shop.name, part.id, line.id from item join shop on shop.id = shop_id left join part on part.item_id = item.id left join line on line.item_id = item.id order by 1, 6, 7
create table shop (id int primary key, name varchar(300));
create table item (id bigint not null auto_increment, shop_id int not null, up bigint, n int, primary key (id), key shop_id (shop_id), constraint of_shop2 foreign key (shop_id) references shop (id) on delete cascade, foreign key (up) references item (id));
create table part (id int auto_increment primary key, item_id bigint not null, constraint of_item foreign key (item_id) references item (id));
create table line (id int auto_increment primary key, item_id bigint, constraint of_line foreign key (item_id) references item (id));
create table fresh (id int primary key, item_id bigint, shop_id int, foreign key (item_id) references item (id), foreign key (shop_id) references shop (id));
insert into shop values (1, 'a'), (2, 'b');
insert into item (shop_id, up, n) values (1, null, 1), (2, 1, 2), (2, 2, 3); insert into part (item_id) values (1), (3); insert into line (item_id) values (1), (2), (null);
